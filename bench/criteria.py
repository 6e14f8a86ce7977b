"""What was promised: each measure with what it must be, what we reach for, and what these results say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.tables import SUMMED, Row, short

LANE, SINGLE, PLAIN = "Usher, uvicorn, lane", "Usher, uvicorn, lane not joined", "Usher, uvicorn"
TUTORIAL, FLOOR = "tutorial, uvicorn", "C floor"
ONE, SEVERAL, MANY = 1, 8, 64
CPU = "cpu_us_with_idle"
"""All that the server used: the words that were set take nothing off."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A measure; ``value`` returns None where these results do not have it, ``reach`` is None where nothing was set."""

    name: str
    must: float
    reach: float | None
    is_at_least: bool
    value: Callable[[Sequence[Row]], float | None]
    unit: str = "×"

    def holds(self, value: float, bound: float) -> bool:
        """Tell whether a value is on the right side of a bound."""
        return value >= bound if self.is_at_least else value <= bound

    def line(self, rows: Sequence[Row]) -> str:
        """Return the row of the table."""
        sign = "≥" if self.is_at_least else "≤"
        value = self.value(rows)
        must, reach = ("" if b is None else f"{sign} {b:g}{self.unit}" for b in (self.must, self.reach))
        if value is None:
            return f"| {self.name} | {must} | {reach} | not measured | |"
        is_reached = self.reach is not None and self.holds(value, self.reach)
        verdict = "yes, and what we reach for" if is_reached else "yes"
        if not self.holds(value, self.must):
            verdict = "**no**"
        return f"| {self.name} | {must} | {reach} | {short(value)}{self.unit} | {verdict} |"


def found(rows: Sequence[Row], shape: str, system: str, key: str, **where: Any) -> float | None:
    """Return a number of the one measurement that fits, or None."""
    for row in rows:
        if row["shape"] == shape and row["system"] == system and all(row.get(n) == v for n, v in where.items()):
            value = row.get(key)
            return None if value is None else float(value)
    return None


def ratio(shape: str, one: str, other: str, key: str, **where: Any) -> Callable[[Sequence[Row]], float | None]:
    """Return what divides a number of one system by that of another."""

    def of(rows: Sequence[Row]) -> float | None:
        above, below = found(rows, shape, one, key, **where), found(rows, shape, other, key, **where)
        return above / below if above is not None and below else None

    return of


def _harm(rows: Sequence[Row]) -> float | None:
    others = [row for row in rows if not row["system"].startswith("tutorial")]
    return float(sum(row.get(name) or 0 for row in others for name in SUMMED)) if others else None


def _added(rows: Sequence[Row]) -> float | None:
    ours = found(rows, "creations", "Usher, PostgreSQL", "added_ms", viewers=_most_viewers(rows))
    theirs = found(rows, "creations", "tutorial, PostgreSQL", "added_ms")
    return ours / theirs if ours is not None and theirs else None


def _added_by_viewers(rows: Sequence[Row]) -> float | None:
    with_viewers = found(rows, "creations", "Usher, PostgreSQL", "added_ms", viewers=_most_viewers(rows))
    without = found(rows, "creations", "Usher, PostgreSQL", "added_ms", viewers=0)
    return with_viewers / without if with_viewers is not None and without else None


def _most_viewers(rows: Sequence[Row]) -> int:
    return max((row.get("viewers") or 0 for row in rows if row["shape"] == "creations"), default=0)


def _memory(rows: Sequence[Row]) -> float | None:
    return found(rows, "idle", LANE, "kilobytes")


def _refused(rows: Sequence[Row]) -> float | None:
    ours = [row for row in rows if row["shape"] == "storm" and row["system"].startswith("Usher")]
    return float(sum(row.get("refused") or 0 for row in ours)) if ours else None


def _filtered(window: int) -> Criterion:
    value = ratio("thousand", f"{LANE}, K=1", f"{LANE}, K=16", CPU, window=window)
    return Criterion(f"deliveries per second of a core, K=16 of K=1, N=1,000, W={window}", 0.9, 0.97, True, value)


def _storm(name: str, ours: str, theirs: str) -> Criterion:
    return Criterion(name, 0.5, 0.3, False, ratio("storm", ours, theirs, "listening_ms.p99"))


def _cpu(name: str, must: float, reach: float | None, other: str, *, window: int, ours: str = LANE) -> Criterion:
    """Return how many times the CPU of ours another one needs for a delivery."""
    shape = "tenants" if window == MANY else "thousand"
    return Criterion(name, must, reach, True, ratio(shape, other, ours, CPU, window=window))


def _to_floor(name: str, must: float, reach: float, ours: str) -> Criterion:
    return Criterion(name, must, reach, False, ratio("thousand", ours, FLOOR, CPU, window=SEVERAL))


def _latency(key: str, must: float, reach: float) -> Criterion:
    name = f"POST to frame at 200 viewers and 20 creations/s, {key}, of the tutorial's"
    return Criterion(name, must, reach, False, ratio("latency", LANE, TUTORIAL, f"latency_ms.{key}"))


TUTORIALS = "CPU per delivery, the tutorial's of ours"
FLOORS = "CPU per delivery, of the C floor's, N=1,000, W=8"
AGAINST = "deliveries per second of a core against"
CRITERIA: tuple[Criterion, ...] = (
    _cpu(f"{TUTORIALS}, N=1,000, W=8, no lane", 15, None, TUTORIAL, window=SEVERAL, ours=PLAIN),
    _cpu(f"{TUTORIALS}, N=1,000, W=8, lane", 40, 50, TUTORIAL, window=SEVERAL),
    _cpu(f"{TUTORIALS}, 1,000×5, W=64, no lane", 10, None, TUTORIAL, window=MANY, ours=PLAIN),
    _cpu(f"{TUTORIALS}, 1,000×5, W=64, lane", 15, 25, TUTORIAL, window=MANY),
    _to_floor(f"{FLOORS}, no lane", 3, 2.4, PLAIN),
    _to_floor(f"{FLOORS}, lane, not joined", 1.7, 1.3, SINGLE),
    _to_floor(f"{FLOORS}, lane", 0.35, 0.25, LANE),
    _cpu(f"{AGAINST} Socket.IO, N=1,000, W=1", 1.4, 2, "Socket.IO", window=ONE),
    _cpu(f"{AGAINST} Socket.IO, N=1,000, W=8", 10, 12, "Socket.IO", window=SEVERAL),
    _cpu(f"{AGAINST} nchan, N=1,000, W=1", 0.65, 1, "nchan", window=ONE),
    _cpu(f"{AGAINST} nchan, N=1,000, W=8", 4, 5, "nchan", window=SEVERAL),
    _cpu(f"{AGAINST} Centrifuge, N=1,000, W=1", 1, 1.3, "Centrifuge", window=ONE),
    _cpu(f"{AGAINST} Centrifuge, N=1,000, W=8", 2, 3.5, "Centrifuge", window=SEVERAL),
    _filtered(ONE),
    _filtered(SEVERAL),
    _latency("p50", 0.5, 0.25),
    _latency("p99", 0.3, 0.15),
    Criterion("lost, repeated, astray, closed or refused in any bench (not the tutorial's)", 0, 0, False, _harm, ""),
    Criterion("storm of 2,000, refused", 0, 0, False, _refused, ""),
    _storm("storm of 2,000, p99 of the tutorial's, uvicorn", LANE, TUTORIAL),
    _storm("storm of 2,000, p99 of the tutorial's, daphne", "Usher, daphne, lane", "tutorial, daphne"),
    Criterion("memory per idle connection, uvicorn", 30, 20, False, _memory, " KB"),
    Criterion("added to a creation (PostgreSQL), of the tutorial's group_send to 1,000", 0.5, 0.2, False, _added),
    Criterion("added to a creation with 1,000 viewers, of that with none", 1.25, None, False, _added_by_viewers),
)
