"""What the end of a connection means for the client: the range of a close code is the verdict."""

from dataclasses import dataclass
from enum import Enum

STOP_STATUSES = range(400, 500)
WAIT_STATUSES = (429, 503)
PASSING_STATUSES = (408, 425)
UNAUTHORIZED = 401


class Verdict(Enum):
    """What to do after a connection has ended."""

    COME_BACK = "come back with backoff, and resume"
    RENEW = "renew the token once, then come back"
    WAIT = "wait as long as the server asks, then come back"
    STOP = "stop: coming back cannot help"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connection, or the attempt to make one, ended. ``wait_seconds`` is the least that the server asks for."""

    verdict: Verdict
    why: str
    wait_seconds: float = 0.0


def verdict_on_close(code: int) -> Verdict:
    """
    Return what a close code means, known or not.

    Only 41xx, 42xx and 44xx have a meaning of their own; whatever else there is, 1000 to 1015 included, is a
    connection that broke.
    """
    by_range = {41: Verdict.RENEW, 42: Verdict.WAIT, 44: Verdict.STOP}
    return by_range.get(code // 100, Verdict.COME_BACK)


def verdict_on_status(status: int) -> Verdict:
    """Return what a handshake, or a request, that was answered with this HTTP status means."""
    if status == UNAUTHORIZED:
        return Verdict.RENEW
    if status in WAIT_STATUSES:
        return Verdict.WAIT
    if status in STOP_STATUSES and status not in PASSING_STATUSES:
        return Verdict.STOP
    return Verdict.COME_BACK


def seconds_of(retry_after: str | None) -> float:
    """Return the seconds that a ``Retry-After`` header asks for; 0 for none, and for the form that names a date."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
