"""The watching client: keeps one socket open for as long as it is asked to, and misses nothing in between."""

import asyncio
import random
import time
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection

from clients.terminal.backoff import STEADY_SECONDS, seconds_until_retry
from clients.terminal.connection import ConnectionEnded, open_socket, receive
from clients.terminal.frames import (
    USER_CREATED,
    Event,
    Frame,
    Ready,
    RightsChanged,
    Synced,
    TokenExpiring,
)
from clients.terminal.listing import Listing
from clients.terminal.login import LogIn, SessionOver
from clients.terminal.renewal import keep_renewed
from clients.terminal.rest import Refused, Rest, Unreachable
from clients.terminal.screen import Screen
from clients.terminal.seen import Seen
from clients.terminal.states import CatchingUp, Closed, Connecting, Live, Reconnecting
from clients.terminal.verdicts import Ended, Verdict, verdict_on_status

WAIT_SECONDS = 5.0
"""How long to wait where the server says to wait, but not how long."""


class _Enough(Exception):
    """As many events as were asked for have been shown."""


class Watcher:
    """
    Shows what happens in the tenant of a log-in, on a screen, until ``count`` events or until coming back is in vain.

    ``random`` gives numbers from 0 to 1, for the waits between attempts.
    """

    def __init__(
        self,
        rest: Rest,
        login: LogIn,
        screen: Screen,
        *,
        count: int | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._rest = rest
        self._login = login
        self._screen = screen
        self._listing = Listing(rest, login)
        self._left = count
        self._random = random
        self._seen = Seen()
        self._cursor: str | None = None
        self._attempt = 0
        self._live_since: float | None = None
        self._knows_list = False
        self._must_renew = False
        self._has_renewed = False
        self._expiring = asyncio.Event()

    async def watch(self) -> Closed:
        """Watch to the end, and return it."""
        while True:
            ended = await self._visit()
            closed = ended if isinstance(ended, Closed) else await self._pause_after(ended)
            if closed is not None:
                self._screen.state(closed)
                return closed

    async def _visit(self) -> Ended | Closed:
        self._live_since = None
        self._screen.state(Connecting())
        try:
            if self._must_renew or self._login.seconds_until_renewal <= 0:
                await self._login.renew()
                self._must_renew = False
            if not self._knows_list:
                await self._listing.learn()
                self._knows_list = True
            async with await open_socket(self._rest.address, token=self._login.access, after=self._cursor) as socket:
                await self._stay(socket)
        except _Enough:
            return Closed("all the events asked for have come", is_failure=False)
        except ConnectionEnded as error:
            return error.ended
        except SessionOver as error:
            return Ended(Verdict.STOP, str(error))
        except Refused as error:
            return Ended(verdict_on_status(error.status), error.detail, error.wait_seconds)
        except Unreachable as error:
            return Ended(Verdict.COME_BACK, str(error))
        raise AssertionError("unreachable: a socket is left by an exception only")

    async def _pause_after(self, ended: Ended) -> Closed | None:
        if ended.verdict is Verdict.STOP:
            return Closed(ended.why, is_failure=True)
        if ended.verdict is Verdict.RENEW and self._has_renewed:
            return Closed(f"expired, and a new token did not help ({ended.why})", is_failure=True)
        # Only the very next attempt counts: after an outage that is longer than a token's life, another is due.
        self._has_renewed = ended.verdict is Verdict.RENEW
        self._must_renew = self._must_renew or self._has_renewed
        if self._live_since is not None and time.monotonic() - self._live_since >= STEADY_SECONDS:
            self._attempt = 0
        seconds = self._seconds_after(ended)
        self._screen.state(Reconnecting(ended.why, seconds))
        await asyncio.sleep(seconds)
        return None

    def _seconds_after(self, ended: Ended) -> float:
        if ended.verdict is Verdict.RENEW:
            return 0.0  # once only; the renewal itself is what spreads clients
        least = ended.wait_seconds or (WAIT_SECONDS if ended.verdict is Verdict.WAIT else 0.0)
        self._attempt += 1
        return seconds_until_retry(self._attempt - 1, self._random, at_least=least)

    async def _stay(self, socket: ClientConnection) -> None:
        reading = asyncio.create_task(self._read(socket))
        renewing = asyncio.create_task(keep_renewed(self._login, socket, self._expiring, self._screen, self._random))
        try:
            await asyncio.wait({reading, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                renewing.result()
            await reading
        finally:
            reading.cancel()
            renewing.cancel()
            await asyncio.gather(reading, renewing, return_exceptions=True)

    async def _read(self, socket: ClientConnection) -> None:
        has_cursor = self._cursor is not None
        async for text, frame in receive(socket):
            if isinstance(frame, Event):
                # The place moves with repeated events as well: they are where the socket is in the log.
                self._cursor = frame.id
                if not self._seen.add(frame.id):
                    continue
            self._screen.frame(text)
            if isinstance(frame, Synced):
                await self._go_live(frame, has_cursor=has_cursor)
            else:
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        match frame:
            case Ready():
                self._screen.state(CatchingUp(frame.tenant, frame.username))
            case Event():
                self._show(frame)
            case RightsChanged():
                may = ", ".join(frame.permissions) or "nothing"
                self._screen.remark(f"your rights have changed: on this tenant you hold {may}")
            case TokenExpiring():
                self._expiring.set()

    def _show(self, event: Event) -> None:
        if event.type == USER_CREATED and self._listing.heard_of(str(event.data.get("id"))):
            return
        self._screen.event(event)
        self._count()

    async def _go_live(self, synced: Synced, *, has_cursor: bool) -> None:
        if synced.reason is not None:
            self._screen.remark(f"not everything can be replayed ({synced.reason}); reading the list instead")
            # The cursor has proved useless; from here on the list and the events to come are what we know.
            self._cursor = None
        if synced.reason is not None or not has_cursor:
            for row in await self._listing.newcomers():
                self._screen.listed(row)
                self._count()
        self._has_renewed = False
        self._live_since = time.monotonic()
        self._screen.state(Live())

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise _Enough
