"""
What the bumps of a rights counter were about, and who sees something else because of it.

Each bump leaves rows that name what it touched (``tenants.models.RightsChange``). From them, and from the grants as
they are now, follow the grants as they were: nothing else remembers those.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from realtime.kinds import EventKind, declared
from realtime.log import pairs_in
from realtime.projection import visible_set
from realtime.rights import Grants, Viewer
from tenants.models import RightsChange

Holder = TypeVar("Holder")
MOST = RightsChange.KEPT
"""So many changes of one tenant are looked through in one batch. One transaction may leave any number of rows."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row that a bump left: what was touched, and for a grant on a subject which permission came or went."""

    tenant_id: int
    rights: int
    user_id: UUID | None
    group_id: int | None
    session_id: UUID | None
    subject_id: UUID | None
    codename: str | None
    granted: bool | None


def since(loaded: Iterable[tuple[int, int]]) -> dict[int, list[Change]]:
    """
    Return the changes after each (tenant id, rights counter), in order, by tenant; in one query.

    Of a tenant with more than ``MOST`` one more than these is returned, which ``are_complete`` then denies.
    """
    found: dict[int, list[Change]] = defaultdict(list)
    pairs = list(loaded)
    if not pairs:
        return found
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT c.tenant_id, c.rights, c.user_id, c.group_id, c.session_id, c.subject_id, p.codename, c.granted "  # noqa: S608
            "FROM (SELECT t.*, row_number() OVER (PARTITION BY t.tenant_id ORDER BY t.rights, t.id) AS place "
            f"FROM {pairs_in(cursor.db.vendor)} k "
            "JOIN tenants_rightschange t ON t.tenant_id = k.a AND t.rights > k.b) c "
            "LEFT JOIN auth_permission p ON p.id = c.permission_id "
            "WHERE c.place <= %s ORDER BY c.tenant_id, c.rights, c.id",
            [json.dumps(pairs), MOST + 1],
        )
        for tenant_id, counter, user, group, session, subject, codename, granted in cursor.fetchall():
            ids = (_uuid(user), group, _uuid(session), _uuid(subject))
            found[tenant_id].append(
                Change(tenant_id, counter, *ids, codename, granted=None if granted is None else bool(granted))
            )
    return found


def _uuid(value: UUID | str | None) -> UUID | None:
    return value if value is None or isinstance(value, UUID) else UUID(value)


def before(grants: Grants, changes: Sequence[Change]) -> Grants:
    """
    Return the grants as they stood before ``changes`` (in order), for the subjects that these touch.

    The first change of each grant tells: what came first was not there, what went first was.
    """
    touched = {change.subject_id for change in changes if change.subject_id is not None}
    of_groups, of_users = _copied(grants.of_groups, touched), _copied(grants.of_users, touched)
    seen: set[tuple[object, ...]] = set()
    for change in changes:
        key = (change.subject_id, change.group_id, change.user_id, change.codename)
        if change.subject_id is None or change.codename is None or key in seen:
            continue
        seen.add(key)
        if change.group_id is not None:
            held = of_groups[change.subject_id].setdefault(change.group_id, set())
        elif change.user_id is not None:
            held = of_users[change.subject_id].setdefault(change.user_id, set())
        else:
            continue
        (held.discard if change.granted else held.add)(change.codename)
    return Grants(_frozen(of_groups), _frozen(of_users))


def _copied(
    held: Mapping[UUID, Mapping[Holder, Set[str]]], subject_ids: Iterable[UUID]
) -> dict[UUID, dict[Holder, set[str]]]:
    return {s: {holder: set(codenames) for holder, codenames in held.get(s, {}).items()} for s in subject_ids}


def _frozen(held: Mapping[UUID, Mapping[Holder, Set[str]]]) -> dict[UUID, Mapping[Holder, frozenset[str]]]:
    return {s: {holder: frozenset(codenames) for holder, codenames in of.items()} for s, of in held.items()}


def are_complete(changes: Sequence[Change], *, since: int, until: int) -> bool:
    """
    Tell whether each bump has left its rows, and all of them are here.

    None has for a counter that went back, as with a restored backup.
    """
    return (
        since < until
        and len(changes) <= MOST
        and {change.rights for change in changes} == set(range(since + 1, until + 1))
    )


def who_sees_otherwise(
    viewers: Mapping[UUID, Viewer], changes: Sequence[Change], grants: Mapping[str, Grants]
) -> set[UUID]:
    """
    Return the keys of the viewers who see something else of some subject than before ``changes``.

    ``grants``: by subject model, as they are now. Who saw nothing of a subject before and after is not among them.
    Asked once for each class of viewers, not for each of them: a role that goes takes a grant on every user along.
    """
    changes = [change for change in changes if change.subject_id is not None]
    if not changes:
        return set()  # as with most batches, which then need not look at every viewer
    changed_for: dict[int, set[UUID]] = defaultdict(set)
    for change in changes:
        if change.subject_id is not None and change.group_id is not None:
            changed_for[change.group_id].add(change.subject_id)
    classes: dict[frozenset[int], list[UUID]] = defaultdict(list)
    for key, viewer in viewers.items():
        classes[viewer.group_ids].append(key)
    found: set[UUID] = set()
    for kind in declared():
        turn = _Turn(kind, then=before(grants[kind.subject], changes), now=grants[kind.subject])
        of_oneself = turn.subjects_by_holder()
        for group_ids, keys in classes.items():
            subjects = set[UUID]().union(*(changed_for.get(group, ()) for group in group_ids))
            of_class = {subject for subject in subjects if turn.shows_otherwise(subject, group_ids)}
            for key in keys:
                user_id = viewers[key].user_id
                # Where he holds something by himself as well, only both together say what he sees.
                own = of_oneself.get(user_id, set())
                if not of_class <= own or any(turn.shows_otherwise(s, group_ids, user_id) for s in own):
                    found.add(key)
    return found


@dataclass(frozen=True, slots=True)
class _Turn:
    """The grants on subjects of one kind before some changes, for those that were touched, and after them."""

    kind: EventKind
    then: Grants
    now: Grants

    def shows_otherwise(self, subject_id: UUID, group_ids: frozenset[int], user_id: UUID | None = None) -> bool:
        """Whether a class sees something else of a subject now, or with ``user_id`` one of it with what is his own."""

        def seen(grants: Grants) -> frozenset[str]:
            return visible_set(self.kind, grants.on(subject_id).of(group_ids, user_id))

        return seen(self.then) != seen(self.now)

    def subjects_by_holder(self) -> Mapping[UUID, set[UUID]]:
        """User -> the subjects that were touched on which he holds something by himself, or did."""
        found: dict[UUID, set[UUID]] = defaultdict(set)
        for subject_id, holders in self.then.of_users.items():
            for user_id in (*holders, *self.now.of_users.get(subject_id, ())):
                found[user_id].add(subject_id)
        return found
