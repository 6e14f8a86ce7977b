"""Percentiles and medians."""

import statistics
from collections.abc import Sequence


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return the usual percentiles."""
    ordered = sorted(values)
    named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    return {name: ordered[int(share * (len(ordered) - 1))] if ordered else 0.0 for name, share in named.items()}


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
