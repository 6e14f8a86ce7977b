"""A WebSocket as a client has it: frames come out, pings are answered, and the end says why."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATH = "/ws/user_notifications/"
PATIENCE = 15
"""Seconds until a story gives up waiting for what must happen. Long, since the machine may be busy."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from the server."""

    content: dict[str, Any]

    @property
    def type(self) -> str:
        """What kind of frame it is."""
        return str(self.content["type"])

    @property
    def id(self) -> str:
        """The event's id, which is also the cursor to resume from."""
        return str(self.content["id"])

    @property
    def data(self) -> dict[str, Any]:
        """The visible fields."""
        data: dict[str, Any] = self.content["data"]
        return data

    @property
    def redacted(self) -> list[str]:
        """The names of the hidden fields."""
        names: list[str] = self.content["redacted"]
        return names

    def __getitem__(self, name: str) -> Any:
        return self.content[name]


@dataclass(frozen=True, slots=True)
class Closed:
    """How a socket ended: the close frame, and the goodbye before it."""

    code: int
    reason: str
    goodbye: Frame | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A handshake that was answered with an HTTP status; ``code`` is the problem's, where there is a body."""

    status: int
    code: str | None
    headers: dict[str, str]
    body: dict[str, Any]


class Socket:
    """An open socket. Before ``synced`` came it has received ``missed``; what comes later, ``next`` returns."""

    ready: Frame
    synced: Frame

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.patience = PATIENCE
        self._put_aside: list[Frame] = []
        self.missed: list[Frame] = []

    async def next(self) -> Frame:
        """Return the next frame that is not part of the heartbeat."""
        if self._put_aside:
            return self._put_aside.pop(0)
        async with asyncio.timeout(self.patience):
            while True:
                frame = Frame(json.loads(await self._connection.recv()))
                if frame.type != "ping":
                    return frame
                await self.say(type="pong")

    async def next_of(self, kind: str) -> Frame:
        """Return the next frame, which must be of this type: nothing is passed over."""
        frame = await self.next()
        assert frame.type == kind, f"expected {kind}, and this came: {frame.content}"
        return frame

    async def next_created(self) -> Frame:
        """Return the next frame, which must tell of a new user."""
        return await self.next_of("user.created")

    async def say(self, **content: Any) -> None:
        """Send a message."""
        await self._connection.send(json.dumps(content))

    async def say_text(self, text: str | bytes) -> None:
        """Send what may not be a message at all."""
        await self._connection.send(text)

    async def closed(self, *, behind: Collection[str] = ()) -> Closed:
        """Return how the server ends this socket; nothing but a goodbye may come before, and frames of these types."""
        goodbye = None
        try:
            while True:
                frame = await self.next()
                if frame.type in behind:
                    continue
                assert frame.type == "goodbye", f"expected the end, and this came: {frame.content}"
                goodbye = frame
        except ConnectionClosed as error:
            end = error.rcvd
        assert end is not None, "the connection broke without a close frame"
        return Closed(end.code, end.reason, goodbye)

    async def leave(self) -> None:
        """Close it from this side."""
        await self._connection.close()

    async def catch_up(self) -> None:
        """Take what comes first: ``ready``, what was missed, ``synced``; ``next`` returns what else came between."""
        self.ready = await self.next_of("ready")
        between = []
        while (frame := await self.next()).type != "synced":
            (self.missed if frame.type == "user.created" else between).append(frame)
        self.synced = frame
        self._put_aside = between


async def open_socket(
    address: str, *, headers: dict[str, str], path: str = PATH, query: str = "", **options: Any
) -> Socket:
    """Open a socket; raises ``Refused`` if the handshake is answered with anything but a socket."""
    url = f"{address.replace('http', 'ws', 1)}{path}{query}"
    try:
        connection = await connect(
            url, additional_headers=headers, compression=None, proxy=None, open_timeout=PATIENCE, **options
        )
    except InvalidStatus as error:
        raise Refused(_refusal(error)) from None
    return Socket(connection)


class Refused(Exception):
    """A handshake was answered with a status."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def _refusal(error: InvalidStatus) -> Refusal:
    response = error.response
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    is_problem = headers.get("content-type") == "application/problem+json"
    body = json.loads(response.body) if is_problem and response.body else {}
    return Refusal(response.status_code, body.get("code"), headers, body)
