"""Who may see what in an experiment in which rights change, told from the changes' times and from what is left."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from tests.faults.recorded import Change, Tenant, Viewer

FIELDS = {
    "id": "view_user",
    "username": "view_user",
    "full_name": "view_user",
    "joined_via": "view_user",
    "joined_at": "view_user",
    "email": "view_user_contact",
    "phone": "view_user_contact",
    "address": "view_user_origin",
    "agent": "view_user_origin",
}
"""As docs/protocol.md has them: field -> permission, in declared order."""
HEAR, WATCH = "view_user", "watch_signups"
PERMISSIONS = tuple(dict.fromkeys(FIELDS.values()))
EVERYTHING = "*"
ALWAYS, NEVER, UNSURE = frozenset({True}), frozenset({False}), frozenset({True, False})
Values = frozenset[bool]


@dataclass(frozen=True, slots=True)
class Rights:
    """What a viewer may see of a subject within a window of time; what changed within it is possible and not sure."""

    sure: frozenset[str]
    possible: frozenset[str]
    ever: frozenset[str]


NOTHING = Rights(frozenset(), frozenset(), frozenset())


class RightsOverTime:
    """
    Answers for one tenant.

    A change takes hold at a time that nobody knows, between its question and its answer. So at each moment a right is
    surely held, surely not held, or one cannot know; the judge accuses nobody of what it cannot know.
    """

    def __init__(self, tenant: Tenant, changes: Collection[Change]) -> None:
        self._tenant = tenant
        self._changes: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in sorted(changes, key=lambda change: change.invoked):
            self._changes[change.holder, change.subject].append(change)
        self._changed = {holder for holder, _ in self._changes}
        self._plain: dict[tuple[str, frozenset[str]], Rights] = {}

    def of(self, viewer: Viewer, subject: str, start: float, end: float) -> Rights:
        """Return what a viewer may see of a subject from ``start`` to ``end``."""
        if self._changed.isdisjoint((viewer.name, *self._holders(viewer))):
            return self._of_unchanged(viewer, subject)
        values = {permission: self._values(viewer, subject, permission, start, end) for permission in PERMISSIONS}
        ever = {permission: self._ever(viewer, subject, permission) for permission in PERMISSIONS}
        watch = self.watching(viewer, start, end)
        if watch == NEVER:
            values = dict.fromkeys(PERMISSIONS, NEVER)
        return Rights(
            sure=frozenset(p for p, value in values.items() if value == watch == ALWAYS),
            possible=frozenset(p for p, value in values.items() if True in value),
            ever=frozenset(p for p, was in ever.items() if was),
        )

    def watching(self, viewer: Viewer, start: float, end: float) -> Values:
        """Return whether a viewer may have a socket from ``start`` to ``end``: surely, surely not, or both."""
        changed = self._by_changes((viewer.name, viewer.user), EVERYTHING, WATCH, start, end)
        if changed is not None:
            return changed
        return ALWAYS if viewer.user in self._tenant.watching else NEVER

    def _of_unchanged(self, viewer: Viewer, subject: str) -> Rights:
        if viewer.user not in self._tenant.watching:
            return NOTHING
        groups = self._tenant.groups.get(viewer.user, frozenset())
        rights = self._plain.get((subject, groups))
        if rights is None:
            held = frozenset().union(*(self._left(subject, group) for group in groups))
            rights = self._plain[subject, groups] = Rights(held, held, held)
        own = self._left(subject, viewer.user)
        if own:
            held = rights.sure | own
            return Rights(held, held, held)
        return rights

    def _values(self, viewer: Viewer, subject: str, permission: str, start: float, end: float) -> Values:
        of_all = self._by_changes((viewer.name, viewer.user), EVERYTHING, permission, start, end)
        if of_all is not None:
            return of_all
        found = []
        for holder in self._holders(viewer):
            value = self._by_changes((holder,), subject, permission, start, end)
            if value is None:
                value = ALWAYS if permission in self._left(subject, holder) else NEVER
            found.append(value)
        return ALWAYS if ALWAYS in found else UNSURE if UNSURE in found else NEVER

    def _ever(self, viewer: Viewer, subject: str, permission: str) -> bool:
        holders = self._holders(viewer)
        return any(permission in self._left(subject, holder) for holder in holders) or any(
            permission in change.permissions
            for holder in (*holders, viewer.name)
            for about in (subject, EVERYTHING)
            for change in self._changes.get((holder, about), ())
        )

    def _holders(self, viewer: Viewer) -> Collection[str]:
        return (viewer.user, *self._tenant.groups.get(viewer.user, ()))

    def _left(self, subject: str, holder: str) -> frozenset[str]:
        return self._tenant.grants.get(subject, {}).get(holder, frozenset())

    def _by_changes(
        self, holders: Collection[str], subject: str, permission: str, start: float, end: float
    ) -> Values | None:
        """Return the values that these holders' changes allow in a window; None if none of them was about this."""
        changes = [
            change
            for holder in holders
            for change in self._changes.get((holder, subject), ())
            if permission in change.permissions
        ]
        if not changes:
            return None
        changes.sort(key=lambda change: change.invoked)
        before = [change for change in changes if change.done < start]
        # Whatever was taken first had been held, and what was given first had not.
        values = {before[-1].gives if before else not changes[0].gives}
        values |= {change.gives for change in changes if change.done >= start and change.invoked <= end}
        return frozenset(values)
