"""
One batch's reading: counters, rights, events and grants, all of one moment of the primary.

Read in separate statements they would mix two moments, and show a viewer what no state of the database ever allowed.
The number of queries is constant, however many tenants, events and viewers a batch has.
"""

import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from realtime import changes, cursors, glance, log, ports, rights
from realtime.changes import Change
from realtime.cursors import Resumption
from realtime.kinds import declared, is_declared, kind_named
from realtime.log import PAGE, Page
from realtime.projection import LoggedEvent
from realtime.rights import Grants, Held, Viewer

COUNTED = 100
"""For one who is far behind, what he has missed is counted: for so many in one snapshot, and the others in the next."""


class TenantPlan(msgspec.Struct, frozen=True):
    """What the hub already knows of a tenant: the counter up to which, the position up to which, and the viewers."""

    tenant_id: int
    rights: int | None
    position: int | None
    viewers: Mapping[UUID, Viewer]
    """Session -> viewer, as loaded."""
    length: int = PAGE
    """How many positions its live sockets go forward at most."""

    @property
    def page(self) -> Page | None:
        """What comes next for its live sockets; None while it is not known where they are."""
        return None if self.position is None else (self.tenant_id, self.position, self.length)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one batch is to read."""

    tenants: tuple[TenantPlan, ...]
    joining: frozenset[UUID] = frozenset()
    """Sessions to load, whether they are known or not."""
    resumptions: tuple[Resumption, ...] = ()
    pages: frozenset[Page] = frozenset()


class TenantFacts(msgspec.Struct, frozen=True):
    """
    A tenant at the moment of the snapshot. ``changes``: of rights, since the counter that the plan knew.

    There are none, and they are not complete, when so many came at once that the first are gone again, or too many.
    """

    is_active: bool
    retention: timedelta
    head: int
    rights: int
    changes: tuple[Change, ...] = ()
    are_changes_complete: bool = True


@dataclass(slots=True)
class Answer:
    """What one batch has read. A tenant that is not in ``tenants`` is no more."""

    tenants: dict[int, TenantFacts] = field(default_factory=dict)
    loaded: set[UUID] = field(default_factory=set)
    """The sessions whose standings were read; one that is not in ``standings`` is no more."""
    standings: dict[UUID, ports.Standing] = field(default_factory=dict)
    viewers: dict[UUID, Viewer] = field(default_factory=dict)
    pages: dict[Page, list[LoggedEvent]] = field(default_factory=dict)
    """The events of each page asked for, and of what comes next in each tenant."""
    grants: dict[str, Grants] = field(default_factory=dict)
    """Subject model -> the grants on all subjects of events and changes."""
    resumed: dict[Resumption, int | str] = field(default_factory=dict)
    """Where each resumption begins: a position, or the reason why it cannot be complete. Not all may be there."""
    told: dict[int, Collection[UUID]] = field(default_factory=dict)
    """Tenant id -> the sessions of the plan that see something else of some subject, or may, since its counter."""
    read_at: float = 0.0

    def held_on(self, event: LoggedEvent) -> Held:
        """Return who holds what on an event's subject; raises ``UnknownKind``."""
        return self.grants[kind_named(event.kind).subject].on(event.subject_id)


@contextmanager
def one_moment() -> Iterator[None]:
    """Have everything read inside see one committed state of the primary, and write nothing."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    # Not atomic(): with transaction_mode IMMEDIATE that would make a reader wait for every writer.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def read(plan: Plan) -> Answer:
    """Return what ``plan`` asks for; raises what the database raises, after closing the thread's connection."""
    with _anew_after_an_error():
        answer = _glanced(plan)
        if answer is not None:
            return answer
        with one_moment():
            return _read(plan)


def moved(known: Sequence[tuple[int, int, int]]) -> list[int]:
    """Return the ids of those of some tenants who are to be read (see ``glance.moved``); raises as ``read`` does."""
    with _anew_after_an_error():
        return glance.moved(known)


@contextmanager
def _anew_after_an_error() -> Iterator[None]:
    try:
        yield
    except Exception:
        connections[DEFAULT_DB_ALIAS].close()
        raise


def _glanced(plan: Plan) -> Answer | None:
    """Return the answer to a plan of live sockets alone, if nobody's rights have moved; else None."""
    wanted = [page for tenant in plan.tenants if (page := tenant.page) is not None]
    if not wanted or plan.joining or plan.resumptions or plan.pages or len(wanted) < len(plan.tenants):
        return None
    answer = Answer(read_at=time.time())
    seen = glance.glance(wanted)
    for planned in plan.tenants:
        found = seen.tenants.get(planned.tenant_id)
        if found is None:
            continue
        is_active, retention_days, head, counter = found
        if counter != planned.rights:
            return None
        answer.tenants[planned.tenant_id] = TenantFacts(is_active, _days(retention_days), head, counter)
    answer.pages, answer.grants = seen.pages, seen.grants
    return answer


_days = lru_cache(maxsize=128)(timedelta)


def _read(plan: Plan) -> Answer:
    answer = Answer(read_at=time.time())
    answer.tenants = _facts(plan)
    answer.loaded = set(plan.joining).union(*(_touched(t, answer.tenants.get(t.tenant_id)) for t in plan.tenants))
    if answer.loaded:
        answer.standings = ports.people().standings(answer.loaded)
        answer.viewers = rights.viewers_of(answer.standings.values())
    known = (t.page for t in plan.tenants if t.page is not None)
    live = {page for page in known if _has_news(answer.tenants.get(page[0]), page[1])}
    answer.pages = log.pages(plan.pages | live)
    marks = log.find(resumption.event_id for resumption in plan.resumptions if resumption.event_id is not None)
    # A cursor that names nothing is asked for among the grants as well: it must take as long as one that is hidden.
    nothing = {r.event_id for r in plan.resumptions if r.event_id is not None} - marks.keys()
    answer.grants = _grants(answer, marks.values(), nothing)
    answer.resumed = _all_resolved(plan.resumptions, marks, answer)
    # Here and not where the answer is applied, on the event loop: of many changes it takes its time.
    known_tenants = (t for t in plan.tenants if t.tenant_id in answer.tenants)
    answer.told = {t.tenant_id: _told(t, answer.tenants[t.tenant_id], answer.grants) for t in known_tenants}
    return answer


def _told(plan: TenantPlan, facts: TenantFacts, grants: Mapping[str, Grants]) -> Collection[UUID]:
    if not facts.are_changes_complete:
        return plan.viewers.keys()  # what they saw before cannot be told any more
    return changes.who_sees_otherwise(plan.viewers, facts.changes, grants)


def _all_resolved(
    resumptions: Iterable[Resumption], marks: Mapping[UUID | None, LoggedEvent], answer: Answer
) -> dict[Resumption, int | str]:
    resolved: dict[Resumption, int | str] = {}
    counted = 0
    for resumption in resumptions:
        mark, facts = marks.get(resumption.event_id), answer.tenants.get(resumption.tenant_id)
        if mark is not None and facts is not None and cursors.is_far(mark, facts.head):
            counted += 1
            if counted > COUNTED:
                continue
        resolved[resumption] = _resolved(resumption, marks, answer)
    return resolved


def _resolved(resumption: Resumption, marks: Mapping[UUID | None, LoggedEvent], answer: Answer) -> int | str:
    facts = answer.tenants.get(resumption.tenant_id)
    if facts is None:
        return cursors.UNKNOWN
    return cursors.resolve(
        resumption,
        marks.get(resumption.event_id),
        viewer=answer.viewers.get(resumption.session_id),
        grants=answer.grants,
        head=facts.head,
        kept=facts.retention,
        now=datetime.fromtimestamp(answer.read_at, UTC),
    )


def _has_news(facts: TenantFacts | None, position: int) -> bool:
    return facts is not None and facts.head > position


def _facts(plan: Plan) -> dict[int, TenantFacts]:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT t.id, t.is_active, t.retention_days, COALESCE(h.position, 0), COALESCE(r.value, 0) "  # noqa: S608
            "FROM tenants_tenant t "
            "LEFT JOIN tenants_head h ON h.tenant_id = t.id LEFT JOIN tenants_rightscounter r ON r.tenant_id = t.id "
            f"WHERE t.id IN (SELECT k.a FROM {log.pairs_in(cursor.db.vendor)} k)",
            [json.dumps([[t.tenant_id, 0] for t in plan.tenants])],
        )
        rows = {row[0]: row for row in cursor.fetchall()}
    loaded = {t.tenant_id: t.rights for t in plan.tenants if t.rights is not None and t.tenant_id in rows}
    moved = {tenant_id: counter for tenant_id, counter in loaded.items() if rows[tenant_id][-1] != counter}
    found = changes.since(moved.items())
    facts = {}
    for tenant_id, is_active, retention_days, head, counter in rows.values():
        own = found.get(tenant_id, [])
        is_complete = tenant_id not in moved or changes.are_complete(own, since=moved[tenant_id], until=counter)
        facts[tenant_id] = TenantFacts(
            is_active=bool(is_active),
            retention=_days(retention_days),
            head=head,
            rights=counter,
            changes=tuple(own) if is_complete else (),
            are_changes_complete=is_complete,
        )
    return facts


def _touched(plan: TenantPlan, facts: TenantFacts | None) -> Iterable[UUID]:
    """The sessions of a tenant whose standing may have changed since the plan's counter."""
    if facts is None or plan.rights is None or facts.rights == plan.rights:
        return ()
    if not facts.are_changes_complete:
        return plan.viewers
    own = [change for change in facts.changes if change.subject_id is None]
    if any(change.user_id is None and change.group_id is None for change in own):
        return plan.viewers
    users = {change.user_id for change in own if change.user_id is not None}
    groups = {change.group_id for change in own if change.user_id is None}
    return [s for s, viewer in plan.viewers.items() if viewer.user_id in users or viewer.group_ids & groups]


def _grants(answer: Answer, marks: Iterable[LoggedEvent], nothing: set[UUID]) -> dict[str, Grants]:
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for event in (*(event for page in answer.pages.values() for event in page), *marks):
        # One of an unknown kind must not blind this process for all tenants: whoever projects it fails, alone.
        if is_declared(event.kind):
            wanted[kind_named(event.kind).subject].add(event.subject_id)
    # A change names its subject by id alone, so it is looked for among the subjects of every kind.
    changed = {c.subject_id for facts in answer.tenants.values() for c in facts.changes if c.subject_id is not None}
    subjects = {kind.subject for kind in declared()}
    return {subject: rights.grants_on(subject, wanted[subject] | changed | nothing) for subject in subjects}
