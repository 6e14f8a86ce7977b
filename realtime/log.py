"""The log: what happened in a tenant, in commit order, without holes. Features append; the hub's snapshot reads."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import starmap
from typing import Any
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet

from realtime.identity import new_id
from realtime.json_rows import given_rows
from realtime.kinds import kind_named
from realtime.models import Event
from realtime.projection import LoggedEvent

PAGE = 200
"""How many positions one read goes forward, at most."""

COLUMNS = "e.position, e.id, e.kind, e.subject_id, CAST(e.snapshot AS text), e.at"
"""What ``event_of`` makes an event of, with its tenant's id."""

DRAFT_COLUMNS = {
    "tenant_id": "bigint",
    "after": "bigint",  # how many events of the tenant come after this one
    "id": "uuid",
    "kind": "text",
    "subject_id": "uuid",
    "snapshot": "jsonb",
    "at": "timestamptz",
}
# The lock, not a sequence, orders events: sequence values become visible out of commit order, and a reader that has
# passed 8 would never see 7. Rows are locked as they come, in the order of the ids. (WHERE true: SQLite would take the
# conflict clause for a join's.)
HEADS = """
    INSERT INTO tenants_head (tenant_id, position)
    SELECT tenant_id, count(*) FROM {drafts} WHERE true GROUP BY tenant_id ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET position = tenants_head.position + excluded.position
    RETURNING tenant_id, position
"""
EVENTS = """
    INSERT INTO realtime_event (id, tenant_id, position, kind, subject_id, snapshot, at)
    SELECT d.id, d.tenant_id, h.position - d.after, d.kind, d.subject_id, d.snapshot, d.at
    FROM {drafts} d JOIN {heads} h ON h.tenant_id = d.tenant_id
"""
APPEND = f"""
    WITH drafts AS (SELECT * FROM {given_rows("postgresql", DRAFT_COLUMNS)}),
    heads AS ({HEADS.format(drafts="drafts")}),
    events AS ({EVENTS.format(drafts="drafts", heads="heads")})
    SELECT tenant_id, position FROM heads
"""  # noqa: S608  names of our own
DRAFTS_ON_SQLITE = f"(SELECT * FROM {given_rows('sqlite', DRAFT_COLUMNS)})"  # noqa: S608  as above


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that is about to be appended. ``snapshot`` holds every declared field, whoever may see it."""

    kind: str
    subject_id: UUID
    snapshot: dict[str, Any]
    at: datetime


def append(*, tenant_id: int, events: Sequence[EventDraft]) -> int:
    """
    Append events to a tenant's log, in the order given, and return the position of the last.

    Call it as the last statement of the transaction that made the events true: it takes the lock of the tenant's head
    row and holds it until the commit. Code that appends for several tenants does so by ``append_to_each``, or two
    transactions may wait for each other. Raises ``TransactionManagementError`` outside a transaction, ``UnknownKind``
    for a kind that nobody declared, ``ValueError`` for no events.
    """
    return append_to_each({tenant_id: events})[tenant_id]


def append_to_each(events: Mapping[int, Sequence[EventDraft]]) -> dict[int, int]:
    """
    Append to the logs of several tenants, by their ids, as ``append`` does to one; return the last position of each.

    The locks are taken in the order of the tenants' ids, and the number of statements is the same for any number of
    tenants and events. Raises what ``append`` raises, before anything is written.
    """
    using = router.db_for_write(Event)
    connection = connections[using]
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("append() outside a transaction; open transaction.atomic() first")
    if empty := [tenant_id for tenant_id, of_tenant in events.items() if not of_tenant]:
        raise ValueError(f"append() has no events for the logs of tenants {empty}; expected at least one for each")
    drafts = [
        _draft_row(connection, tenant_id, event, after=len(of_tenant) - place)
        for tenant_id, of_tenant in events.items()
        for place, event in enumerate(of_tenant, start=1)
    ]
    given = [msgspec.json.encode(drafts).decode()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(APPEND, given)
            return dict(cursor.fetchall())
        cursor.execute(HEADS.format(drafts=DRAFTS_ON_SQLITE), given)
        heads = dict(cursor.fetchall())
        cursor.execute(EVENTS.format(drafts=DRAFTS_ON_SQLITE, heads="tenants_head"), given)
        return heads


def _draft_row(connection: BaseDatabaseWrapper, tenant_id: int, event: EventDraft, *, after: int) -> dict[str, Any]:
    """Return the ``DRAFT_COLUMNS`` of an event, as the database keeps such values."""
    kind_named(event.kind)
    identity, at = Event._meta.pk, Event._meta.get_field("at")
    return {
        "tenant_id": tenant_id,
        "after": after,
        "id": identity.get_db_prep_value(new_id(), connection),
        "kind": event.kind,
        "subject_id": identity.get_db_prep_value(event.subject_id, connection),
        "snapshot": event.snapshot,
        "at": at.get_db_prep_value(event.at, connection),
    }


Page = tuple[int, int, int]
"""A stretch of a tenant's log: the tenant's id, the position after which it begins, and how far it goes at most."""


def pages(wanted: Iterable[Page]) -> dict[Page, list[LoggedEvent]]:
    """Return the events of each page, in order; in one query."""
    found: dict[Page, list[LoggedEvent]] = {page: [] for page in wanted}
    if not found:
        return found
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            f"SELECT k.b, k.c, e.tenant_id, {COLUMNS} "  # noqa: S608
            f"FROM {triples_in(cursor.db.vendor)} k JOIN realtime_event e ON e.tenant_id = k.a "
            "AND e.position > k.b AND e.position <= k.b + k.c ORDER BY e.tenant_id, k.b, e.position",
            [json.dumps(list(found))],
        )
        for after, length, *row in cursor.fetchall():
            event = event_of(*row)
            found[event.tenant_id, after, length].append(event)
    return found


def find(event_ids: Iterable[UUID]) -> dict[UUID | None, LoggedEvent]:
    """Return the events with these ids that exist, of whichever tenant, by id; in one query."""
    wanted = list(event_ids)
    if not wanted:
        return {}
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        field = Event._meta.pk
        places = ", ".join(["%s"] * len(wanted))
        cursor.execute(
            f"SELECT e.tenant_id, {COLUMNS} FROM realtime_event e WHERE e.id IN ({places})",  # noqa: S608  placeholders only
            [field.get_db_prep_value(event_id, cursor.db) for event_id in wanted],
        )
        return {event.id: event for event in starmap(event_of, cursor.fetchall())}


def count(*, tenant_id: int, after: int, heard: Mapping[str, QuerySet[Any]], most: int) -> int:
    """Return how many events after a position are of a kind and subject in ``heard`` (kind -> subject ids)."""
    visible = Q(pk__in=())
    for name, subjects in heard.items():
        visible |= Q(kind=name, subject_id__in=subjects)
    return Event.objects.filter(visible, tenant_id=tenant_id, position__gt=after)[:most].count()


def pairs_in(vendor: str) -> str:
    """Return SQL for a table with columns a and b, made of one parameter: JSON, a list of pairs of integers."""
    if vendor == "postgresql":
        return "(SELECT (pair->>0)::bigint AS a, (pair->>1)::bigint AS b FROM json_array_elements(%s::json) AS j(pair))"
    return "(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each(%s))"


def triples_in(vendor: str) -> str:
    """Return the same of three integers: a, b and c."""
    if vendor == "postgresql":
        columns = ", ".join(f"(triple->>{place})::bigint AS {name}" for place, name in enumerate("abc"))
        return f"(SELECT {columns} FROM json_array_elements(%s::json) AS j(triple))"  # noqa: S608  names of our own
    columns = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate("abc"))
    return f"(SELECT {columns} FROM json_each(%s))"  # noqa: S608  as above


_snapshots: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def event_of(  # noqa: PLR0917  a row
    tenant_id: int, position: int, identity: UUID | str, kind: str, subject_id: UUID | str, snapshot: str, at: datetime
) -> LoggedEvent:
    """Return the event of a row: its tenant's id, then ``COLUMNS``."""
    # Raw rows: SQLite has no type for ids, and its times come without their zone, which is always UTC.
    return LoggedEvent(
        tenant_id,
        position,
        identity if isinstance(identity, UUID) else UUID(identity),
        kind,
        subject_id if isinstance(subject_id, UUID) else UUID(subject_id),
        _snapshots.decode(snapshot),
        at if at.tzinfo is not None else at.replace(tzinfo=UTC),
    )
