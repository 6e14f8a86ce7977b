"""
The sequential model: who may see what at each value of the tenant's rights counter.

Every change of rights commits with a value of its own, so the values are the order in which changes committed. The
model applies them one after the other to a table of plain facts ("Bob is active", "Bob is in the group viewer") and
knows nothing of snapshots, batches or sockets.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from tests.faults.rights import FIELDS, HEAR

Fact = tuple[Any, ...]
"""("active", user), ("member", user, group), ("watch", holder), ("alive", session) or ("held", holder, subject)."""
View = frozenset[str] | None
"""The fields that somebody sees; None if he is told nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """A committed change: its counter value, and times around its commit, by this machine's monotonic clock."""

    rights: int
    began: float
    """Before the commit was begun: whoever saw anything earlier saw it without this change."""
    done: float
    """After the commit was answered: whoever looks later must see it."""
    facts: dict[Fact, Any]


@dataclass(slots=True)
class Model:
    """What was true in the beginning, and all changes since."""

    groups: dict[str, tuple[str, ...]]
    """User -> the groups that he may be in at some time."""
    first: dict[Fact, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    _history: dict[Fact, tuple[list[int], list[Any]]] = field(default_factory=dict)
    _done: tuple[list[float], list[int]] = ([], [])
    _began: tuple[list[float], list[int]] = ([], [])

    def settle(self) -> None:
        """Put all changes into their order; called once, when there are no more."""
        self.changes.sort(key=lambda change: change.rights)
        found: dict[Fact, tuple[list[int], list[Any]]] = defaultdict(lambda: ([], []))
        for change in self.changes:
            for fact, value in change.facts.items():
                found[fact][0].append(change.rights)
                found[fact][1].append(value)
        self._history = dict(found)
        self._done = _by_time(self.changes, lambda change: change.done)
        self._began = _by_time(self.changes, lambda change: change.began)

    def value(self, fact: Fact, rights: int) -> Any:
        """Return what was true of something once the counter had this value."""
        at, values = self._history.get(fact, ((), ()))
        place = bisect_right(at, rights)
        return values[place - 1] if place else self.first.get(fact)

    def view(self, user: str, session: str, subject: str, rights: int) -> View:
        """Return what a session's user was allowed to see of a subject once the counter had this value."""
        if not (self.value(("active", user), rights) and self.value(("alive", session), rights)):
            return None
        holders = [user, *(g for g in self.groups[user] if self.value(("member", user, g), rights))]
        if not any(self.value(("watch", holder), rights) for holder in holders):
            return None
        held = frozenset[str]().union(*(self.value(("held", h, subject), rights) or () for h in holders))
        return frozenset(name for name, permission in FIELDS.items() if permission in held) if HEAR in held else None

    def committed_before(self, moment: float) -> int:
        """Return the greatest counter value whose commit had been answered by then."""
        return self._greatest(self._done, moment)

    def begun_before(self, moment: float) -> int:
        """Return the greatest counter value whose commit had been begun by then."""
        return self._greatest(self._began, moment)

    def views(self, user: str, session: str, subject: str, between: Iterable[int]) -> set[View]:
        """Return all that was allowed at any of these values."""
        return {self.view(user, session, subject, rights) for rights in between}

    def _greatest(self, times: tuple[list[float], list[int]], moment: float) -> int:
        place = bisect_right(times[0], moment)
        return times[1][place - 1] if place else self.changes[0].rights - 1


def _by_time(changes: Iterable[Change], time: Callable[[Change], float]) -> tuple[list[float], list[int]]:
    """Return the times in order, and for each the greatest counter value up to it."""
    ordered = sorted(changes, key=time)
    return [time(change) for change in ordered], list(accumulate((change.rights for change in ordered), max))
