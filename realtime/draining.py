"""What a server does with its sockets when it is told to go."""

import asyncio

from realtime import hub

SPREAD_SECONDS = 5.0
"""Over how long clients are told to spread their coming back."""
WITHIN_SECONDS = 8.0
"""How long sockets get to close; with the server's own rest the whole is bound to 15 s."""


async def drain() -> None:
    """Say goodbye to every socket of this loop's hub, if it has one, and refuse new ones from now on."""
    found = hub.of_loop(asyncio.get_running_loop())
    if found is not None:
        await found.drain(spread_seconds=SPREAD_SECONDS, within_seconds=WITHIN_SECONDS)
