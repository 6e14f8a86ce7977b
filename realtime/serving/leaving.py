"""The way out after SIGTERM, with an end to it."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from realtime.serving.limits import Drain, Limits

logger = logging.getLogger(__name__)

KEPT_ALIVE_SECONDS = 1.0
"""So long idle HTTP connections stay: a request that is on its way is answered, and its client told to open others."""
LOOK_SECONDS = 0.02


class Leaving:
    """
    The time that is left after a signal to stop.

    Made when the signal arrives. From then on this process ends within ``limits.exit_seconds``, even if a thread of the
    application is stuck in a call that nobody can cancel: the interpreter would wait for it without end.
    """

    def __init__(self, limits: Limits) -> None:
        self._end = time.monotonic() + limits.exit_seconds
        watchdog = threading.Timer(limits.exit_seconds, _leave_now, (limits.exit_seconds,))
        watchdog.daemon = True
        watchdog.start()

    def seconds_left(self, *, keep: float = 0) -> float:
        """Return the seconds left, less ``keep`` for what comes after."""
        return max(0.0, self._end - keep - time.monotonic())

    async def drained(self, drain: Drain) -> None:
        """Let the application say goodbye; whatever it does, leave time to answer requests and to close."""
        try:
            async with asyncio.timeout(self.seconds_left(keep=3)):
                await drain()
        except TimeoutError:
            logger.error("the application was still saying goodbye when its time was up; closing what is left")  # noqa: TRY400
        except Exception:
            logger.exception("the application failed to say goodbye; closing what is left")

    async def until(self, is_done: Callable[[], bool], *, within: float) -> None:
        """Wait until something is done, which nothing tells by itself, or for ``within`` seconds."""
        deadline = time.monotonic() + within
        while not is_done() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)


def heed_no_more_signals() -> None:
    """
    Have another SIGTERM end nothing, once everything has ended.

    The interpreter takes handlers away as it ends: a signal that came in those last moments would make a clean end look
    like a crash.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _leave_now(seconds: float) -> None:
    logger.error("something was still running %g s after the signal to stop; leaving without it", seconds)
    logging.shutdown()
    os._exit(0)
