"""
One open socket as the hub sees it: what waits to be sent, how far it has come, and how it ends.

Nothing here waits. A frame goes to the transport at once if the transport takes it; if not, a task finishes that one
send, and everything else waits in bounded queues. So one slow reader costs its own memory, never another's time.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from realtime import protocol
from realtime.protocol import Close, Frame
from realtime.sending import step

logger = logging.getLogger(__name__)

MOST_FRAMES = 64
MOST_BYTES = 256 * 1024
MOST_CONTROLS = 32
"""More control frames than this wait only for a client that asks for them and does not read the answers."""
STALL_SECONDS = 10.0
"""How long a socket may take nothing before it is closed."""
CLOSING_SECONDS = 1.0
"""How long a full transport gets to make room for the last words, and a peer to answer them."""
RETRY_SPREAD_MS = 2000
SYNCED = {reason: protocol.synced(reason) for reason in (None, "unknown_cursor", "too_many")}

Send = Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]]


class State(Enum):
    """Where a connection stands with its tenant's log."""

    JOINING = "joining"
    """Registered; the hub's own snapshot has not loaded its rights yet."""
    CATCHING_UP = "catching up"
    LIVE = "live"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who holds a connection, as a checked token says."""

    user_id: UUID
    tenant_id: int
    session_id: UUID
    token_expires_at: float


class Connection:
    """A socket's outbound side. Made by its consumer, fed by the hub, on one event loop."""

    def __init__(
        self,
        *,
        identity: Identity,
        send: Send,
        abort: Callable[[], None],
        cursor: str | None = None,
        on_behind: "Callable[[Connection], None]" = lambda connection: None,
    ) -> None:
        self.identity = identity
        self.cursor = cursor
        self.state = State.JOINING
        self.considered = 0
        """The last position that was queued, or judged invisible. Means nothing while live with an empty queue."""
        self.sync_reason: str | None = None
        """Why this connection does not get all that it missed, if it does not."""
        self.on_behind = on_behind
        """Called when this connection can take a page of the log."""
        self.on_renewed: Callable[[], None] = lambda: None
        """Called when another token has been accepted."""
        self._is_synced = False
        self._send = send
        self._abort = abort
        self._events: deque[tuple[int, Frame]] = deque()
        self._event_bytes = 0
        self._controls: deque[Frame] = deque()
        self._last_words: deque[Mapping[str, Any]] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything may still be queued."""
        return self.state is not State.CLOSED

    @property
    def wants_page(self) -> bool:
        """Whether this connection is behind, and everything queued has been handed to the transport."""
        return self.state is State.CATCHING_UP and not self._events and self._sending is None

    @property
    def queued(self) -> int:
        """How many events wait."""
        return len(self._events)

    def renew(self, identity: Identity) -> None:
        """Stand, from now on, on another token."""
        self.identity = identity
        self.control(protocol.auth_ok(identity.token_expires_at))
        self.on_renewed()

    def offer(self, position: int, frame: Frame) -> None:
        """Queue a live event; a connection over its bound is fed no more, and catches up from the log later."""
        if self.state is not State.LIVE or position <= self.considered:
            return
        if len(self._events) >= MOST_FRAMES or self._event_bytes + frame.size > MOST_BYTES:
            self._fall_behind(position - 1)
            return
        self.push(position, frame)

    def push(self, position: int, frame: Frame) -> None:
        """Queue an event, live or from a page of the log."""
        if not self.is_open:
            return
        self._events.append((position, frame))
        self._event_bytes += frame.size
        self._pump()

    def control(self, frame: Frame) -> None:
        """Queue a frame that goes before all events that wait."""
        if self.is_open:
            self._controls.append(frame)
            self._pump()
        if len(self._controls) > MOST_CONTROLS:
            self.close(Close.SLOW_CONSUMER)

    def catch_up(self, position: int) -> None:
        """Begin to read the log after ``position``."""
        if self.is_open:
            self._fall_behind(position)

    def go_live(self, position: int) -> None:
        """Take live events from after ``position`` on; say ``synced``, once, behind the events that wait."""
        if not self.is_open:
            return
        self.considered = position
        self.state = State.LIVE
        if not self._is_synced:
            self._is_synced = True
            # One past the last event: taking the frame back must not bring that event back too.
            self.push(position + 1, SYNCED[self.sync_reason])

    def cut_off(self, position: int, reason: str) -> None:
        """Go live after ``position`` without all that was missed, and say so; close if ``synced`` was said before."""
        if self._is_synced:
            self.close(Close.RESYNC)
            return
        self.sync_reason = reason
        self.go_live(position)

    def rewind(self) -> None:
        """Take back the events that wait: they were judged under rights that no longer hold. The log has them."""
        if not self._events or not self.is_open:
            return
        if any(frame is SYNCED[self.sync_reason] for _, frame in self._events):
            self._is_synced = False
        first = self._events[0][0]
        self._forget_events()
        self._fall_behind(first - 1)

    def close(self, close: Close, *, retry_after_ms: int | None = None) -> None:
        """Say goodbye and close; whatever waits is dropped. A transport that takes nothing is cut off in a second."""
        if not self.is_open:
            return
        if retry_after_ms is None:
            spread = random.randint(0, RETRY_SPREAD_MS) if close.is_to_be_spread else 0  # noqa: S311  keeps no secret
            retry_after_ms = close.retry_after_seconds * 1000 + spread
        self._forget()
        self._last_words.append(protocol.goodbye(close, retry_after_ms=retry_after_ms).message)
        self._last_words.append({"type": "websocket.close", "code": int(close), "reason": close.reason})
        self._set_timer(CLOSING_SECONDS, self._abort)
        self._pump()

    def gone(self) -> None:
        """Note that the peer is gone: nothing more is sent, and nothing is left running."""
        self._forget()
        self._last_words.clear()
        self._stop_timer()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _fall_behind(self, position: int) -> None:
        self.considered = position
        self.state = State.CATCHING_UP
        self.on_behind(self)

    def _forget(self) -> None:
        self.state = State.CLOSED
        self._controls.clear()
        self._forget_events()

    def _forget_events(self) -> None:
        self._events.clear()
        self._event_bytes = 0

    def _next(self) -> Mapping[str, Any] | None:
        if self._last_words:
            return self._last_words.popleft()
        if self._controls:
            return self._controls.popleft().message
        if self._events:
            _, frame = self._events.popleft()
            self._event_bytes -= frame.size
            return frame.message
        return None

    def _pump(self) -> None:
        while self._sending is None and (message := self._next()) is not None:
            try:
                rest = step(self._send(message))
            except Exception as error:  # noqa: BLE001  a broken peer must not break the batch being delivered
                self._broken(error)
                return
            if rest is not None:
                if self.is_open:
                    self._set_timer(STALL_SECONDS, self._stalled)
                self._sending = asyncio.get_running_loop().create_task(self._finish(rest))
                # A task that is cancelled before its first step never comes to what it was to await.
                self._sending.add_done_callback(partial(_close, rest))

    async def _finish(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except Exception as error:  # noqa: BLE001  see _pump
            self._broken(error)
        finally:
            self._sending = None
        if self.is_open:
            self._stop_timer()
        self._pump()
        if self.wants_page:
            self.on_behind(self)

    def _stalled(self) -> None:
        self.close(Close.SLOW_CONSUMER)

    def _broken(self, error: Exception) -> None:
        logger.debug("a send failed (%s): the peer is gone", type(error).__name__)
        self._forget()
        self._last_words.clear()
        # If the peer is there after all, it must not take a socket for live on which nothing will ever come. But not at
        # once: a server that ends a socket by itself refuses what is sent meanwhile, and its last words are on the way.
        self._set_timer(CLOSING_SECONDS, self._abort)

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _close(coroutine: Coroutine[Any, Any, None], _: "asyncio.Task[None]") -> None:
    coroutine.close()
