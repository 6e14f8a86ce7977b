"""What a server does with its sockets when it is told to go."""

import random

from realtime import hub

SPREAD_SECONDS = 5.0
"""Over how long clients are told to spread their coming back."""
WITHIN_SECONDS = 8.0
"""How long sockets get to close; with the server's own rest the whole is bound to 15 s."""


async def drain() -> None:
    """Say goodbye to every socket of this loop, with and without a token yet, and refuse new ones from now on."""
    # Made if there is none yet: a connection that was kept alive may still ask for its first socket.
    await hub.hub_of_this_loop().drain(seconds_to_wait=seconds_to_wait, within_seconds=WITHIN_SECONDS)


def seconds_to_wait() -> float:
    """Return when one of the clients is to come back: another time for each, within the window."""
    return random.uniform(0, SPREAD_SECONDS)  # noqa: S311  spreads load, keeps no secret
