"""A transport that takes as many messages as the test makes room for, and a connection that sends through it."""

import asyncio
import json
import math
import time
from uuid import UUID

from realtime import protocol
from realtime.connection import Connection, Identity

ALICE = UUID("01900000-0000-7000-8000-00000000000a")
SESSION = UUID("01900000-0000-7000-8000-0000000000aa")


class Transport:
    """
    An ASGI ``send`` as servers have it: it returns at once while there is room, and waits while there is none.

    Servers differ in when they wait: before they take a message, or, with ``takes_first``, once it is in their buffer.
    """

    def __init__(self, *, room=math.inf, takes_first=False):
        self.messages = []
        self.aborted = 0
        self.error = None
        self._room = room
        self._takes_first = takes_first
        self._changed = asyncio.Event()

    async def send(self, message):
        """Take a message."""
        if self._takes_first:
            self._take(message)
        while self._room <= 0:
            self._changed.clear()
            await self._changed.wait()
        self._room -= 1
        if not self._takes_first:
            self._take(message)

    def abort(self):
        """Note that the connection was cut off."""
        self.aborted += 1

    def make_room(self, messages=math.inf):
        """Let so many more messages through."""
        self._room += messages
        self._changed.set()

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
    return Connection(identity=identity, send=transport.send, abort=transport.abort, **more)


def live(transport, *, position=0):
    """Return a connection that is live from a position on and has said so."""
    connection = connection_to(transport)
    connection.go_live(position)
    return connection


def full(takes_first):
    """Return a connection, its ``synced`` on the way through a transport that has no room for it."""
    transport = Transport(room=0, takes_first=takes_first)
    return live(transport), transport


def with_waiting(transport, *numbers):
    """Return a live connection to which the events of these numbers were offered."""
    connection = live(transport)
    for number in numbers:
        connection.offer(number, event(number))
    return connection


def event(number, size=0):
    """Return an event's frame, with that number of bytes more."""
    return protocol.frame({"type": "event", "n": number} | ({"padding": "x" * size} if size else {}))


async def turns():
    """Let everything run that can: nothing here waits for anything but the next turns of the loop."""
    for _ in range(5):
        await asyncio.sleep(0)
