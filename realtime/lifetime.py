"""The clocks of one open socket: its heartbeat, and the end of its token. No task, one timer each."""

import asyncio
import random
import time

from realtime import protocol
from realtime.connection import Connection, State
from realtime.protocol import Close

JITTER = 0.2
"""The part of a heartbeat by which it may be early or late, so that sockets opened together do not ping together."""
REMINDER_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.5


class Lifetime:
    """Pings, waits for answers, reminds of the token's end and closes at it."""

    def __init__(self, connection: Connection, *, heartbeat_seconds: float, pong_seconds: float) -> None:
        self._connection = connection
        self._heartbeat_seconds = heartbeat_seconds
        self._pong_seconds = pong_seconds
        self._loop = asyncio.get_running_loop()
        self._pulse = self._loop.call_later(self._until_ping(), self._ping)
        self._token_timer: asyncio.TimerHandle | None = None
        self._reminder_is_due = False
        self._lead_seconds = self._token_ends_at = 0.0
        connection.on_renewed = self._begin_token
        self._begin_token()

    def heard(self) -> None:
        """Note a message from the client: any traffic proves that it lives."""
        self._pulse.cancel()
        self._pulse = self._loop.call_later(self._until_ping(), self._ping)

    def stop(self) -> None:
        """Stop all clocks."""
        self._pulse.cancel()
        if self._token_timer is not None:
            self._token_timer.cancel()

    def _until_ping(self) -> float:
        return self._heartbeat_seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  spreads load

    def _ping(self) -> None:
        self._connection.control(protocol.PING)
        self._pulse = self._loop.call_later(self._pong_seconds, self._connection.close, Close.NO_PONG)

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
