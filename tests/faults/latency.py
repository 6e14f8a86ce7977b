"""How soon viewers were shown what was created, from a history."""

from collections.abc import Callable
from pathlib import Path

from tests.faults.history import lines_of


def delivery_seconds(path: Path, *, counts: Callable[[str], bool] = lambda viewer: True) -> list[tuple[float, float]]:
    """
    Return (time of a creation's answer, seconds from it to a frame that shows it), for each viewer that ``counts``.

    What was shown before its creation was answered took 0 s. A history is read only once it is closed.
    """
    answered: dict[str, float] = {}
    users: dict[int, str] = {}
    shown: list[tuple[float, str]] = []
    for line in lines_of(path):
        match line["kind"], line.get("phase"):
            case "create", "ok":
                answered[line["user"]] = line["t"]
            case "content", _:
                users[line["content"]] = line["frame"].get("data", {}).get("id", "")
            case "frame", _ if counts(line["viewer"]):
                shown.append((line["t"], users[line["content"]]))
    return [(answered[user], max(0.0, t - answered[user])) for t, user in shown if user in answered]


def quantile(seconds: list[float], part: float) -> float:
    """Return the time within which this part was shown."""
    assert seconds, "nothing was measured"
    return sorted(seconds)[int(part * (len(seconds) - 1))]
