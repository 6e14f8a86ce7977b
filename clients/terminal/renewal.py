"""Renewing the token of an open socket, before it ends."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from clients.terminal.backoff import seconds_until_retry
from clients.terminal.frames import auth_message
from clients.terminal.login import LogIn
from clients.terminal.rest import Refused, Unreachable
from clients.terminal.screen import Screen


async def keep_renewed(
    login: LogIn, socket: ClientConnection, expiring: asyncio.Event, screen: Screen, random: Callable[[], float]
) -> None:
    """
    Renew the token a minute before its end, or as soon as ``expiring`` is set, and show it to the server; for ever.

    Raises ``SessionOver`` when it cannot be renewed any more.
    """
    failures = 0
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(login.seconds_until_renewal):  # wait_for() can forget a cancellation
                await expiring.wait()
        try:
            await login.renew()
        except (Refused, Unreachable) as error:
            # The socket stays as long as its token lasts; should that end first, its close code says so.
            screen.remark(f"the token was not renewed, trying again: {error}")
            least = error.wait_seconds if isinstance(error, Refused) else 1.0
            await asyncio.sleep(seconds_until_retry(failures, random, at_least=least))
            failures += 1
            continue
        failures = 0
        expiring.clear()
        with suppress(ConnectionClosed):
            await socket.send(auth_message(login.access))
