"""How long to wait before coming back."""

from collections.abc import Callable

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
STEADY_SECONDS = 30.0
"""A connection that was live for this long was a good one: the next failure is a first one again."""


def seconds_until_retry(attempt: int, random: Callable[[], float], *, at_least: float = 0.0) -> float:
    """
    Return the seconds to wait before the attempt with that number (0 is the first), never less than ``at_least``.

    Full jitter: anything up to a ceiling that doubles with each attempt, so that clients that were thrown out together
    do not come back together. ``random`` gives numbers from 0 to 1.
    """
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 16))
    return at_least + random() * ceiling
