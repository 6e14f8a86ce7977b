"""Rows of results, brought together over the rounds, and shown as tables."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.numbers import median

Row = dict[str, Any]
WHERE = ("shape", "system", "groups", "each", "window", "viewers", "classes", "viewer", "page", "users")
"""What tells one measurement from another; rows that agree in it are rounds of the same one."""
SUMMED = frozenset({"lost", "repeated", "astray", "closed", "refused"})
"""Over the rounds these are added up: what was lost once was lost."""

Column = tuple[str, str, Callable[[Any], str]]
"""A title, where the number is ("latency_ms.p50"), and how it is written."""


def flat(row: Mapping[str, Any], prefix: str = "") -> Row:
    """Return a row whose inner values stand beside the others, as ``latency_ms.p50``."""
    found: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def together(rows: Sequence[Row]) -> list[Row]:
    """Return the medians over the rounds of each measurement, in the order in which they were first measured."""
    rounds: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        rounds[tuple(row.get(name) for name in WHERE)].append(flat(row))
    return [_one(several) for several in rounds.values()]


def _one(several: list[Row]) -> Row:
    row = dict(several[0]) | {"rounds": len(several)}
    for name in row.keys() - {*WHERE, "at", "round", "rounds"}:
        numbers = [r[name] for r in several if isinstance(r.get(name), int | float)]
        if numbers:
            row[name] = sum(numbers) if name in SUMMED else median(numbers)
    return row


def whole(value: float) -> str:
    """Write a count."""
    return f"{value:,.0f}"


def short(value: float) -> str:
    """Write a measured number with three digits."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def share(value: float) -> str:
    """Write a share of a core."""
    return f"{value * 100:.0f} %"


def percent(value: float) -> str:
    """Write a small share of a core."""
    return f"{value * 100:.1f} %"


def text(value: Any) -> str:
    """Write it as it is."""
    return str(value)


DELIVERING: tuple[Column, ...] = (
    ("deliveries/s", "per_second", whole),
    ("events/s", "events_per_second", whole),
    ("CPU µs", "cpu_us", short),
    ("with idle", "cpu_us_with_idle", short),
    ("+ beside µs", "beside_us", short),
    ("p50 ms", "latency_ms.p50", short),
    ("p95 ms", "latency_ms.p95", short),
    ("p99 ms", "latency_ms.p99", short),
    ("server busy", "busy", share),
    ("idle", "idle_busy", percent),
    ("client busy", "client_busy", share),
    ("bytes", "bytes_per_delivery", whole),
    ("in one commit", "events_per_transaction", short),
    ("lost", "lost", whole),
)
IN_FLIGHT: Column = ("W", "window", whole)
REFUSED: Column = ("refused", "refused", whole)
LISTENING: tuple[Column, ...] = (
    ("p50 ms", "listening_ms.p50", short),
    ("p99 ms", "listening_ms.p99", short),
)
REQUESTS: tuple[Column, ...] = (
    ("requests/s", "requests_per_second", short),
    ("answer p50 ms", "ms.p50", short),
    ("answer p99 ms", "ms.p99", short),
)
FRAMES: tuple[Column, ...] = (
    ("frame p50 ms", "latency_ms.p50", short),
    ("frame p99 ms", "latency_ms.p99", short),
    ("lost", "lost", whole),
)
VIEWERS: Column = ("viewers", "viewers", whole)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    **dict.fromkeys(("thousand", "hundred", "five-thousand", "tenants"), (IN_FLIGHT, *DELIVERING)),
    "burst": DELIVERING,
    "import": (
        ("seconds", "import_seconds", short),
        ("users/s", "users_per_second", whole),
        ("CPU µs per delivery", "cpu_us", short),
        ("deliveries", "deliveries", whole),
        ("lost", "lost", whole),
    ),
    "storm": (
        ("listening/s", "accepted_per_second", whole),
        *LISTENING,
        ("until all, s", "seconds", short),
        ("CPU µs per socket", "cpu_us_per_socket", whole),
        REFUSED,
    ),
    "resume": (
        ("until all have all, s", "seconds", short),
        ("CPU µs per delivery", "cpu_us", short),
        *LISTENING,
        REFUSED,
        ("lost", "lost", whole),
    ),
    "idle": (
        ("KB per socket", "kilobytes", short),
        ("connects/s", "connects_per_second", whole),
        ("idle CPU %", "idle_cpu_percent", short),
        REFUSED,
    ),
    "latency": (*FRAMES, *REQUESTS, ("server busy", "busy", share)),
    "posts": (("viewers", "each", whole), *REQUESTS, *FRAMES),
    "lists": (
        ("as", "viewer", text),
        ("page", "page", text),
        ("p50 ms", "ms.p50", short),
        ("p95 ms", "ms.p95", short),
        ("p99 ms", "ms.p99", short),
    ),
    "creations": (
        VIEWERS,
        ("bare ms", "bare_ms", short),
        ("told ms", "told_ms", short),
        ("User.save() ms", "saved_ms", short),
        ("create_user() ms", "service_ms", short),
        ("added ms", "added_ms", short),
        ("import, users/s", "users_per_second", whole),
    ),
    "rights": (
        VIEWERS,
        ("classes", "classes", whole),
        ("events", "events", whole),
        ("deliveries", "deliveries", whole),
        ("CPU µs per delivery", "cpu_us", short),
        ("CPU µs per event", "cpu_us_per_event", whole),
        ("beside µs per delivery", "beside_us", short),
        ("lost", "lost", whole),
    ),
}


def table(shape: str, rows: Sequence[Row]) -> list[str]:
    """Return the lines of a shape's table, in Markdown: measurements in order, columns that have a number."""
    own = [row for row in rows if row["shape"] == shape]
    columns = [column for column in COLUMNS[shape] if any(row.get(column[1]) is not None for row in own)]
    lines = ["| | " + " | ".join(title for title, _, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    for row in own:
        cells = ["" if row.get(key) is None else write(row[key]) for _, key, write in columns]
        lines.append(f"| {row['system']} | " + " | ".join(cells) + " |")
    return lines
