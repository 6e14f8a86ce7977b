"""A transport that takes as many messages as the test makes room for, and a connection that sends through it."""

import asyncio
import json
import math
import time
from enum import Enum
from uuid import UUID

from realtime import protocol
from realtime.connection import Connection, Identity
from realtime.outlets import FastLane, Outlet, parcels_of

ALICE = UUID("01900000-0000-7000-8000-00000000000a")
SESSION = UUID("01900000-0000-7000-8000-0000000000aa")


class Way(Enum):
    """How frames leave: by a ``send`` that waits before it takes a message or once it has it, or by a fast lane."""

    WAITS_FIRST = "waits first"
    TAKES_FIRST = "takes first"
    LANE = "lane"

    @property
    def takes_first(self):
        """Whether a full transport still takes one write."""
        return self is not Way.WAITS_FIRST


class Transport:
    """
    What servers give an application to send by: it returns at once while there is room, and waits while there is none.

    A lane takes whatever it is given, and says whether that was more than there was room for.
    """

    def __init__(self, *, room=math.inf, way=Way.WAITS_FIRST):
        self.messages = []
        self.writes = 0
        self.aborted = 0
        self.error = None
        self._room = room
        self._way = way
        self._changed = asyncio.Event()
        self._tell = self._loop = None

    def outlet(self):
        """Return the way out that a connection has."""
        if self._way is not Way.LANE:
            return Outlet(self.send, abort=self.abort)
        return FastLane(self.send, abort=self.abort, write=self.write, when_written=self.when_written)

    async def send(self, message):
        """Take a message."""
        if self._way is Way.TAKES_FIRST:
            self._take(message)
        while self._room <= 0:
            self._changed.clear()
            await self._changed.wait()
        self._room -= 1
        if self._way is not Way.TAKES_FIRST:
            self._take(message)

    def write(self, frames):
        """Take frames as they are on the wire."""
        self._loop = asyncio.get_running_loop()
        self.writes += 1
        for text in texts_in(frames):
            self._room -= 1
            self._take({"type": "websocket.send", "text": text})
        return self._room >= 0

    def when_written(self, tell):
        """Keep whom to tell when there is room again."""
        self._tell = tell

    def abort(self):
        """Note that the connection was cut off."""
        self.aborted += 1

    def make_room(self, messages=math.inf):
        """Let so many more messages through."""
        was_full, self._room = self._room < 0, self._room + messages
        self._changed.set()
        if self._tell is not None and was_full and self._room >= 0:
            self._loop.call_soon(self._tell)

    def break_off(self):
        """Have every send fail from now on, the waiting ones included."""
        self.error = OSError("the peer is gone")
        self.make_room()

    def _take(self, message):
        if self.error is not None:
            raise self.error
        self.messages.append(message)

    @property
    def texts(self):
        """The contents of the frames that were taken."""
        return [json.loads(message["text"]) for message in self.messages if message["type"] == "websocket.send"]

    @property
    def kinds(self):
        """What was taken, in short: the number of each event, the type of everything else."""
        return [message.get("code") or _short(message) for message in self.messages]


def _short(message):
    content = json.loads(message["text"])
    return content["n"] if content["type"] == "event" else content["type"]


def connection_to(transport, **more):
    """Return a connection that sends through a transport."""
    identity = Identity(user_id=ALICE, tenant_id=1, session_id=SESSION, token_expires_at=time.time() + 300)
    return Connection(identity=identity, outlet=transport.outlet(), **more)


def live(transport, *, position=0):
    """Return a connection that is live from a position on and has said so."""
    connection = connection_to(transport)
    connection.go_live(position)
    return connection


def full(way):
    """Return a connection, its ``synced`` on the way through a transport that has no room for it."""
    transport = Transport(room=0, way=way)
    return live(transport), transport


def with_waiting(transport, *numbers):
    """Return a live connection to which the events of these numbers were offered."""
    connection = live(transport)
    for number in numbers:
        offer(connection, number)
    return connection


def offer(connection, *numbers, size=0):
    """Offer the events of these numbers, in one batch."""
    for parcel in parcels_of((number, event(number, size=size)) for number in numbers):
        connection.offer(parcel)


def feed(connection, *numbers, reached, is_up_to_date=True):
    """Give a connection that catches up a page with the events of these numbers."""
    connection.feed([(n, event(n)) for n in numbers], reached=reached, is_up_to_date=is_up_to_date)


def texts_in(frames):
    """Return the texts of frames as they are on the wire."""
    texts = []
    while frames:
        assert frames[0] == 0x81, "final, and a text"
        size, start = frames[1], 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(frames[2:start], "big")
        texts.append(frames[start : start + size].decode())
        frames = frames[start + size :]
    return texts


def event(number, size=0):
    """Return an event's frame, with that number of bytes more."""
    return protocol.frame({"type": "event", "n": number} | ({"padding": "x" * size} if size else {}))


async def turns():
    """Let everything run that can: nothing here waits for anything but the next turns of the loop."""
    for _ in range(5):
        await asyncio.sleep(0)
