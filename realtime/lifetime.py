"""The clocks of one open socket: its heartbeat, among many others', and the end of its token. No task."""

import asyncio
import random
import time

from realtime import protocol
from realtime.beats import MOMENTS, beats_of_this_loop
from realtime.connection import Connection, State
from realtime.protocol import Close

JITTER = 0.2
"""The part of a heartbeat by which it may be early or late, so that sockets opened together do not ping together."""
REMINDER_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.5


class Lifetime:
    """Pings, waits for answers, reminds of the token's end and closes at it."""

    __slots__ = (
        *("_beats", "_connection", "_has_pinged", "_heartbeat_seconds", "_lead_seconds", "_loop", "_moment"),
        *("_pong_seconds", "_reminder_is_due", "_token_ends_at", "_token_timer"),
    )

    def __init__(self, connection: Connection, *, heartbeat_seconds: float, pong_seconds: float) -> None:
        self._connection = connection
        self._heartbeat_seconds = heartbeat_seconds
        self._pong_seconds = pong_seconds
        self._loop = asyncio.get_running_loop()
        self._beats = beats_of_this_loop()
        self._has_pinged = False
        self._moment = self._beats.put(self, seconds=self._until_ping())
        self._token_timer: asyncio.TimerHandle | None = None
        self._reminder_is_due = False
        self._lead_seconds = self._token_ends_at = 0.0
        connection.on_renewed = self._begin_token
        self._begin_token()

    def heard(self) -> None:
        """Note a message from the client: any traffic proves that it lives."""
        self._beats.remove(self, moment=self._moment)
        self._has_pinged = False
        self._moment = self._beats.put(self, seconds=self._until_ping())

    def stop(self) -> None:
        """Stop all clocks."""
        self._beats.remove(self, moment=self._moment)
        if self._token_timer is not None:
            self._token_timer.cancel()

    def _until_ping(self) -> float:
        latest = (1 + JITTER) / (1 + 1 / MOMENTS)
        return self._heartbeat_seconds * random.uniform(1 - JITTER, latest)  # noqa: S311  spreads load

    def beat(self) -> None:
        """Ping, or if that was not answered close."""
        if self._has_pinged:
            self._connection.close(Close.NO_PONG)
            return
        self._has_pinged = True
        self._moment = self._beats.put(self, seconds=self._pong_seconds)
        self._connection.control(protocol.PING)

    def _begin_token(self) -> None:
        left = self._connection.identity.token_expires_at - time.time()
        # By the loop's clock from here on: one that is set back by an hour must not give the token another hour.
        self._token_ends_at = self._loop.time() + left
        # Half-way for a short one: a reminder that came at once would be answered at once, by another short one.
        self._lead_seconds = min(REMINDER_SECONDS, left / 2)
        self._reminder_is_due = True
        if self._token_timer is not None:
            self._token_timer.cancel()
        self._watch_token()

    def _watch_token(self) -> None:
        left = self._token_ends_at - self._loop.time()
        if left <= 0:
            self._connection.close(Close.TOKEN_EXPIRED)
            return
        if self._reminder_is_due and left <= self._lead_seconds and self._connection.state is not State.JOINING:
            self._reminder_is_due = False
            self._connection.control(protocol.auth_expiring(self._connection.identity.token_expires_at))
        if not self._reminder_is_due:
            wait = left
        elif left > self._lead_seconds:
            wait = left - self._lead_seconds
        else:
            wait = min(left, LOOK_AGAIN_SECONDS)  # still joining: nothing goes before ``ready``
        self._token_timer = self._loop.call_later(wait, self._watch_token)
