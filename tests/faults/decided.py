"""What became of the creations of a history: how long each took, and what outages of PostgreSQL did to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.history import lines_of


@dataclass(frozen=True, slots=True)
class Decided:
    """A creation: of which server it was asked, when, and when and how it was answered."""

    server: str
    asked: float
    answered: float
    phase: str
    """``ok``, ``fail``, or ``unknown``."""
    status: int | None
    retry_after: str | None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.answered - self.asked

    def overlaps(self, begin: float, end: float) -> bool:
        """Whether it was under way at any time of these."""
        return self.answered >= begin and self.asked <= end


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage: when it began, when it was complete, and when mending it began."""

    name: str
    began: float
    complete: float
    mending: float


def decided_in(path: Path) -> list[Decided]:
    """Return all creations of a history."""
    lines = [line for line in lines_of(path) if line["kind"] == "create"]
    asked = {line["op"]: line["t"] for line in lines if line["phase"] == "invoke"}
    return [
        Decided(
            server=line["server"],
            asked=asked[line["op"]],
            answered=line["t"],
            phase=line["phase"],
            status=line.get("status"),
            retry_after=line.get("retry_after"),
        )
        for line in lines
        if line["phase"] != "invoke"
    ]


def without_effect(outages: Sequence[Outage], creations: Sequence[Decided], terminated: Sequence[int]) -> list[str]:
    """
    Return the outages that were none: somebody was created, or nobody was asked for, or no connection was ended.

    ``terminated`` says how many connections each outage ``terminate`` has ended, which leaves no time without any.
    """
    harmless = ["terminate" for number in terminated if not number]
    for outage in outages:
        during = [creation for creation in creations if outage.complete <= creation.asked <= outage.mending]
        done = [creation for creation in during if creation.phase == "ok" and creation.answered < outage.mending]
        if outage.name != "terminate" and (done or not during):
            harmless.append(outage.name)
    return harmless


def slowest_refusals(outages: Sequence[Outage], creations: Sequence[Decided]) -> tuple[float, float]:
    """Return the most seconds until a refusal: if PostgreSQL went in the midst of it, and if it was away before."""
    refused = [creation for creation in creations if creation.phase == "fail"]
    midst = [c for c in refused if any(c.asked < o.complete and c.answered >= o.began for o in outages)]
    later = [c for c in refused if c not in midst]
    return max((c.seconds for c in midst), default=0.0), max((c.seconds for c in later), default=0.0)
