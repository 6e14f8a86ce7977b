"""A socket whose every message is kept as it came, byte for byte; pings are answered and kept apart."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.stories.sockets import PATH, PATIENCE

PING = '{"type":"ping"}'


class Line:
    """An open socket, or the refusal of one; ``said`` is all that the server has said, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.pings: list[str] = []
        self._heard = asyncio.Event()
        self._taken = 0
        self._connection: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, address: str, *, token: str, query: str = "") -> "Line":
        """Try to open a socket and listen until it ends."""
        line = cls()
        url = f"{address.replace('http', 'ws', 1)}{PATH}{query}"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            line._connection = await connect(url, additional_headers=headers, compression=None, proxy=None)
        except InvalidStatus as refused:
            response = refused.response
            line.said.append(f"{response.status_code} {(response.body or b'').decode()}")
            return line
        line._listening = asyncio.create_task(line._listen(line._connection))
        return line

    async def until(self, kind: str) -> list[str]:
        """Return the messages up to the next one of this type, which is waited for; what else came is among them."""
        taken: list[str] = []
        while not taken or _type_of(taken[-1]) != kind:
            async with asyncio.timeout(PATIENCE):
                while len(self.said) <= self._taken:
                    self._heard.clear()
                    await self._heard.wait()
            taken.append(self.said[self._taken])
            self._taken += 1
        return taken

    async def pinged(self, times: int) -> Sequence[str]:
        """Return the first so many pings, once they have come."""
        async with asyncio.timeout(PATIENCE):
            while len(self.pings) < times:
                self._heard.clear()
                await self._heard.wait()
        return self.pings[:times]

    async def say(self, **content: object) -> None:
        """Send a message."""
        assert self._connection is not None
        await self._connection.send(json.dumps(content))

    async def leave(self) -> None:
        """Close it from this side."""
        if self._connection is not None and self._listening is not None:
            await self._connection.close()
            await self._listening

    async def _listen(self, connection: ClientConnection) -> None:
        try:
            while True:
                text = await connection.recv()
                assert isinstance(text, str), "the server sends no binary frames"
                if text == PING:
                    self.pings.append(text)
                    with suppress(ConnectionClosed):  # what was said before the end is still to be read
                        await connection.send('{"type":"pong"}')
                else:
                    self.said.append(text)
                self._heard.set()
        except ConnectionClosed as end:
            self.said.append(f"closed {end.rcvd.code} {end.rcvd.reason}" if end.rcvd else "broken")
            self._heard.set()


def _type_of(message: str) -> str:
    return str(json.loads(message)["type"]) if message.startswith("{") else message.partition(" ")[0]
