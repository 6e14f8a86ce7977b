"""What a judge says: how many of what, and each breach by name. tests/faults/judge.py explains the names."""

from collections import Counter
from dataclasses import dataclass, field

WORST_FIRST = ("leaked", "stale", "lost", "late", "duplicated", "reordered", "partial")
OF_VIEWERS = ("absent",)
OF_LOGS = ("hole", "unheard", "orphan", "uncaptured")


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that must not happen."""

    name: str
    viewer: str
    event: str
    detail: str


@dataclass(slots=True)
class Verdict:
    """What became of everything."""

    counts: Counter[str] = field(default_factory=Counter)
    """Name -> how many pairs of event and viewer, or rows of a log; all names above are here."""
    breaches: list[Breach] = field(default_factory=list)
    creations: Counter[str] = field(default_factory=Counter)
    """``ok``, ``fail`` and ``unknown``; ``unexcused``: not answered although nothing had struck its server."""
    repeated: int = 0
    incomplete: int = 0
    """Sockets that were told ``complete: false``, though their cursors were of what they might see."""
    unseen_cursors: int = 0
    """Sockets that were told so of an event that they might not see any more: no right to it was surely held."""
    changes: int = 0
    """Changes of rights. Where there was none nothing can be stale, and so nothing is measured of it."""
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """(time of a creation's answer, seconds from it to its frame, or to the end of the socket that was live then)."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not self.breaches

    @property
    def asked(self) -> int:
        """How many creations were asked for."""
        return sum(self.creations[phase] for phase in ("ok", "fail", "unknown"))

    @property
    def worst_gap(self) -> float:
        """The longest of ``gaps``, in seconds."""
        return max((gap for _, gap in self.gaps), default=0.0)

    def measured(self) -> dict[str, object]:
        """Return the facts for ``conclude``: what must be 0, and what was done besides."""
        must_not = {name: self.counts[name] for name in (*WORST_FIRST, *OF_VIEWERS, *OF_LOGS)}
        always = {"leaked", "lost", *OF_VIEWERS} | ({"stale"} if self.changes else set())
        breached = {name: number for name, number in must_not.items() if number or name in always}
        examples = {"first breaches": self.breaches[:3]} if self.breaches else {}
        return {
            **breached,
            "delivered": self.counts["ok"],
            "hidden": self.counts["hidden"],
            "excused": self.counts["excused"],
            "incomplete": self.incomplete,
            **({"cursors not to be seen": self.unseen_cursors} if self.changes else {}),
            "repeated": self.repeated,
            "creations answered": self.creations["ok"],
            "refused": self.creations["fail"],
            "unknown": self.creations["unknown"],
            "worst delivery gap": f"{self.worst_gap:.2f} s",
            **examples,
        }
