"""What a server allows a client, and itself."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from realtime.limits import Rate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Drain = Callable[[], Awaitable[None]]
OnListening = Callable[[str, int], None]


@dataclass(frozen=True)
class Limits:
    """
    The bounds of a server; the defaults are what Usher runs with.

    The kernel caps ``backlog`` at net.core.somaxconn. A WebSocket message above ``message_bytes``, or in more than
    ``fragments``, closes with 1009. A WebSocket may send ``control_frames`` at once, and as many again in each ten
    seconds, steadily: pings, pongs and empty fragments, which cost time and are no messages that an application could
    count; more close with 1008. A connection has ``handshake_seconds`` to send the head of a request, and the
    application as long to decide on a handshake. A head may have so many ``headers``, ``line_bytes`` in each and in the
    address, and ``head_bytes`` in all: less than either server's own bounds, beyond which it says nothing. The body of
    a request may have ``body_bytes``, what Django allows to be held in memory. A request whose answer has not begun
    after ``answer_seconds`` gets a 503. A peer that takes or acknowledges nothing for ``silence_seconds`` is dropped by
    the kernel. After a signal to stop, the process is gone within ``exit_seconds``.
    """

    backlog: int = 4096
    message_bytes: int = 64 * 1024
    fragments: int = 1024
    control_frames: int = 2000
    headers: int = 100
    line_bytes: int = 8000
    head_bytes: int = 16_000
    body_bytes: int = 2_621_440
    handshake_seconds: float = 10
    answer_seconds: float = 60
    silence_seconds: float = 30
    exit_seconds: float = 14

    @property
    def control_rate(self) -> Rate:
        return Rate(self.control_frames, 10)


DEFAULTS = Limits()
TOO_MANY_CONTROL_FRAMES = "too many control frames"

FULL_BYTES = 64 * 1024
"""With more than this in its buffer a transport is full, as asyncio and Twisted see it."""

# A socket that was closed on the way out has this long to take its last bytes.
LINGER_SECONDS = 2
