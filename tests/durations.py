"""How long the experiments took, which is to be a part of what anybody waits for when he runs all tests."""

from collections.abc import Iterable, Mapping
from typing import Any

FOLDER = "tests/faults"


def told_of(stats: Mapping[str, Iterable[Any]]) -> str:
    """
    Return a line about the experiments among pytest's reports (its ``stats``), or nothing if there were none.

    Each has what was set up for it, and what ended it, in its time; in two processes the clock shows half of the sum.
    """
    reports = [report for of_kind in stats.values() for report in of_kind if hasattr(report, "duration")]
    ours = [report for report in reports if report.nodeid.startswith(f"{FOLDER}/")]
    tests = len({report.nodeid for report in ours})
    seconds = sum(report.duration for report in ours)
    return f"{FOLDER}: {tests} test{'s' * (tests != 1)}, {seconds:.0f} s one after the other" if ours else ""
