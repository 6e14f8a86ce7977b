"""Back-pressure: whether a Twisted transport takes more."""

# ruff: noqa: N802  (the names are Twisted's)

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from realtime.serving.lean import Signal


@implementer(IPushProducer)
class Gate:
    """
    The producer of a transport: shut while the transport's buffer is full, open when it was written out or is lost.

    Twisted's transports buffer without bound and ask their registered producer to pause; daphne registers none, so a
    reader that takes nothing costs whatever is sent to it.
    """

    def __init__(self) -> None:
        self._open = Signal()
        self._open.set()
        self.tell_open: Callable[[], None] | None = None
        """Called each time that the gate is opened because the buffer was written out."""
        self._first: Callable[[], None] | None = None

    def when_open(self, act: Callable[[], None]) -> None:
        """Call ``act`` at once if the gate is open, else before all others when it opens; only the latest is kept."""
        if self._open.is_set():
            act()
        else:
            self._first = act

    async def wait(self) -> None:
        """Wait until the gate is open."""
        while not self._open.is_set():  # whoever was woken before us may have filled the buffer again
            await self._open.wait()

    def pauseProducing(self) -> None:
        """Shut the gate: the buffer is full."""
        self._open.clear()

    def resumeProducing(self) -> None:
        """Open the gate: the buffer is empty."""
        self._open.set()
        first, self._first = self._first, None
        if first is not None:
            first()
        if self.tell_open is not None:
            self.tell_open()

    def stopProducing(self) -> None:
        """Open the gate for good: the transport is gone, and whoever waits must learn of it."""
        self._open.set()
        self.tell_open = self._first = None
