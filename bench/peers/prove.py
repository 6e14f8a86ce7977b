"""
Show that each peer is a notification server: what is published to a group reaches its sockets, all of it, in order.

    .venv/bin/python -m bench.peers.prove [NAME …]

Twenty sockets in four groups, fifty events. The last event of each group shows that nothing of another group's came.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.systems import Opening, System
from bench.systems.peers import PEERS, PeerSystem

GROUPS, EACH, EVENTS = 4, 5, 50
MARKER = re.compile(rb"@t\d{19}#(\d{8})@")
SECONDS = 15
OURS = {"Sec-WebSocket-Protocol"}


class Wrong(Exception):
    """A peer did not do what a benchmark counts on; the text says what."""


class Listener:
    """A socket of a group, and the numbers of the events that reached it."""

    def __init__(self, connection: ClientConnection, opening: Opening) -> None:
        self.heard: list[int] = []
        self._connection = connection
        self._opening = opening

    async def enter(self) -> None:
        """Come into the group as the opening says."""
        for words in self._opening.says:
            await self._connection.send(words if self._opening.is_binary else words.decode())
        while self._opening.ready and self._opening.ready not in await self._next():
            pass

    async def listen(self, events: int) -> None:
        """Return when so many events have come."""
        while len(self.heard) < events:
            self.heard += [int(number) for number in MARKER.findall(await self._next())]

    async def _next(self) -> bytes:
        frame = await self._connection.recv(decode=False)
        pong = self._opening.pong
        if pong and frame.startswith(pong[0]):
            await self._connection.send(pong[1].decode())
        return frame


async def listener(system: System, group: int, number: int, stack: AsyncExitStack) -> Listener:
    """Open a socket and bring it into its group."""
    opening = system.opening(group, number)
    protocols = [Subprotocol(value) for name, value in opening.headers if name in OURS]
    others = [(name, value) for name, value in opening.headers if name not in OURS]
    connecting = connect(
        f"ws://127.0.0.1:{system.port}{opening.path}",
        additional_headers=others,
        subprotocols=protocols or None,
        compression=None,
        proxy=None,
        ping_interval=None,
    )
    one = Listener(await stack.enter_async_context(connecting), opening)
    await one.enter()
    return one


async def hear(system: System) -> None:
    """Publish to the groups in turn; raises ``Wrong`` unless each socket heard its group's events, and in order."""
    async with asyncio.timeout(SECONDS), AsyncExitStack() as stack:
        sockets = [(group, await listener(system, group, n, stack)) for group in range(GROUPS) for n in range(EACH)]
        events = [number % GROUPS for number in range(EVENTS)]
        # Some alone, the others in one go: both is what the benchmarks do.
        for number, group in enumerate(events[:10]):
            system.publish([(group, marker(number))])
        system.publish([(group, marker(number)) for number, group in enumerate(events)][10:])
        async with asyncio.TaskGroup() as listening:
            for group, socket in sockets:
                listening.create_task(socket.listen(events.count(group)))
        for group, socket in sockets:
            expected = [number for number, of in enumerate(events) if of == group]
            if socket.heard != expected:
                raise Wrong(f"a socket of group {group} heard {socket.heard}; expected {expected}")


def marker(number: int) -> str:
    """Return the marker of an event that is published now."""
    return f"@t{time.monotonic_ns():019}#{number:08}@"


def prove(system: PeerSystem) -> None:
    """Start a peer, hear from it, end it; raises ``Wrong`` also if a process of it is left."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            system.start(core=0, other=max(os.sched_getaffinity(0)), groups=GROUPS, each=EACH, folder=Path(folder))
            pids = [*system.pids, *system.beside]
            asyncio.run(hear(system))
        finally:
            system.stop()
    left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    if left:
        raise Wrong(f"still running after its stop: {left}")


def main(names: list[str]) -> None:
    """Prove every peer, or those that are named; ends with status 1 if one is wrong."""
    wrong = 0
    for make in PEERS:
        system = make()
        if names and system.name not in names:
            continue
        try:
            prove(system)
            print(
                f"{system.name:<18} {EVENTS} events to {GROUPS * EACH} sockets in {GROUPS} groups  ({system.version})"
            )
        except Exception as failure:  # noqa: BLE001  the others are proved all the same, and this one is told
            wrong += 1
            print(f"{system.name:<18} {type(failure).__name__}: {failure}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
