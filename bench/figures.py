"""The numbers in docs/scaling.md: each between two marks, and filled in from a run's results."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.criteria import LANE, ONE, SEVERAL, found
from bench.tables import Row, short, whole

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
MARKED = re.compile(r"<!--=(\w+)-->.*?<!--/-->", re.DOTALL)
KB_PER_GIB = 2**20
SMALL_TENANTS = 1_000 / 60
"""Events a second of 1,000 tenants, one a minute each."""

Numbers = Mapping[str, float | None]


def measured(rows: Sequence[Row]) -> dict[str, float | None]:
    """Return what the arithmetic begins with, each None where these results do not have it."""
    delivery = found(rows, "thousand", LANE, "cpu_us", window=ONE)
    few = found(rows, "rights", LANE, "cpu_us_per_event", viewers=10)
    return {
        "socket_kb": found(rows, "idle", LANE, "kilobytes"),
        "idle_percent": found(rows, "idle", LANE, "idle_cpu_percent"),
        "handshake_us": found(rows, "storm", LANE, "cpu_us_per_socket"),
        "delivery_us": delivery,
        "joined_us": found(rows, "thousand", LANE, "cpu_us", window=SEVERAL),
        "event_us": None if few is None or delivery is None else max(0.0, few - 10 * delivery),
        "post_us": found(rows, "posts", LANE, "cpu_us_per_request", each=0),
        "import_per_second": found(rows, "import", LANE, "users_per_second"),
    }


DERIVED: Mapping[str, tuple[tuple[str, ...], Callable[..., float]]] = {
    "example_large": (("event_us", "delivery_us"), lambda e, d: 10 * (e + 1_000 * d) / 1e4),
    "example_many": (("event_us", "delivery_us"), lambda e, d: SMALL_TENANTS * (e + 5 * d) / 1e4),
    "example_spread": (("event_us", "delivery_us"), lambda e, d: SMALL_TENANTS * (4 * e + 5 * d) / 1e4),
    "sockets_per_gib": (("socket_kb",), lambda kb: KB_PER_GIB / kb),
    "storm_seconds": (("handshake_us",), lambda us: 10_000 * us / 1e6),
}
"""What follows: from which of the numbers, and how."""


def figures(rows: Sequence[Row]) -> dict[str, str]:
    """Return every figure as the page has it."""
    numbers = measured(rows)
    for name, (needed, of) in DERIVED.items():
        values = [numbers[need] for need in needed]
        numbers[name] = None if None in values else of(*values)
    return {name: _written(name, value) for name, value in numbers.items()}


def _written(name: str, value: float | None) -> str:
    if value is None:
        return "not measured"
    return whole(value) if name in {"sockets_per_gib", "import_per_second"} else short(value)


def filled(page: str, rows: Sequence[Row]) -> str:
    """Return the page with these results' figures; raises ``KeyError`` for a mark that names none."""
    values = figures(rows)
    return MARKED.sub(lambda mark: f"<!--={mark[1]}-->{values[mark[1]]}<!--/-->", page)
