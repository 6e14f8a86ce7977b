"""
Timers that need not be exact: whatever is due at about the same time is one timer of the loop's.

Each socket waits for its next ping, or for the answer to its last. With a timer each, thousands of sockets woke the
loop for every ping and for every answer, and what it takes to wake a server is several times what a ping takes.
"""

import asyncio
import logging
import math
import random
from contextvars import Context
from typing import Protocol
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

MOMENTS = 64
"""A wait is longer by this part of it at most."""


class Beating(Protocol):
    """What is waited for; it is put among those of one moment, so it is hashed."""

    def beat(self) -> None:
        """Be due."""


class Beats:
    """Those that wait on one event loop."""

    def __init__(self) -> None:
        self._phase = random.random()  # noqa: S311  processes of one machine do not all wake at the same moments
        self._due: dict[float, set[Beating]] = {}
        """Moment, by the loop's clock -> who is due then."""

    def put(self, beating: Beating, *, seconds: float) -> float:
        """Have something be due in so many seconds (more than 0), or a little later; return at which moment."""
        loop = asyncio.get_running_loop()
        # Of a power of two, so that long waits and short ones meet at the same moments.
        apart = 2.0 ** math.floor(math.log2(seconds / MOMENTS))
        moment = math.ceil((loop.time() + seconds - self._phase) / apart) * apart + self._phase
        due = self._due.get(moment)
        if due is None:
            due = self._due[moment] = set()
            # In a context of its own: whose socket comes first has nothing to do with the others.
            loop.call_at(moment, self._beat, moment, context=Context())
        due.add(beating)
        return moment

    def remove(self, beating: Beating, *, moment: float) -> None:
        """Forget what was to be due at a moment, if it has not been yet."""
        due = self._due.get(moment)
        if due is not None:
            due.discard(beating)

    def _beat(self, moment: float) -> None:
        due = self._due[moment]
        while due:  # and not all that there are now: one may have another forgotten
            try:
                due.pop().beat()
            except Exception:
                logger.exception("something that was due failed")
        del self._due[moment]


_beats: "WeakKeyDictionary[asyncio.AbstractEventLoop, Beats]" = WeakKeyDictionary()


def beats_of_this_loop() -> Beats:
    """Return those that wait on the running event loop."""
    loop = asyncio.get_running_loop()
    beats = _beats.get(loop)
    if beats is None:
        beats = _beats[loop] = Beats()
    return beats
