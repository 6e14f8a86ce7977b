"""A transport that takes as many messages as the test makes room for, and a connection that sends through it."""

import asyncio
import json
import math
import time
from enum import Enum
from uuid import UUID

from realtime import protocol
from realtime.connection import Connection, Identity, StandingCrowd, hand_out
from realtime.outlets import FastLane, Outlet, parcels_of

ALICE = UUID("01900000-0000-7000-8000-00000000000a")
SESSION = UUID("01900000-0000-7000-8000-0000000000aa")


class Way(Enum):
    """
    How frames leave: by a ``send`` that waits before it takes a message or once it has it, or by a fast lane.

    Straight, a lane has frames taken by the kernel, past the transport, while that keeps nothing.
    """

    WAITS_FIRST = "waits first"
    TAKES_FIRST = "takes first"
    LANE = "lane"
    STRAIGHT = "straight"

    @property
    def takes_first(self):
        """Whether a full transport still takes one write."""
        return self is not Way.WAITS_FIRST

    @property
    def is_lane(self):
        """Whether nothing goes by ``send`` but the close."""
        return self in {Way.LANE, Way.STRAIGHT}


class Transport:
    """
    What servers give an application to send by: it returns at once while there is room, and waits while there is none.

    A lane takes whatever it is given, and says whether that was more than there was room for. What the kernel takes
    straight is no more than there is room for; of the first frame that does not fit it takes a half.
    """

    def __init__(self, *, room=math.inf, way=Way.WAITS_FIRST):
        self.messages = []
        self.writes = 0
        self.asked = 0
        self.aborted = 0
        self.error = None
        self.when_asked = lambda: None
        """What happens besides when the kernel is asked straight."""
        self._room = room
        self._way = way
        self._changed = asyncio.Event()
        self._tell = self._loop = self._ended = None
        self._torn = b""

    def outlet(self):
        """Return the way out that a connection has."""
        if not self._way.is_lane:
            return Outlet(self.send, abort=self.abort)
        lane = {"write": self.write, "when_written": self.when_written}
        if self._way is Way.STRAIGHT:
            lane["straight"] = self.straight
        return FastLane(self.send, abort=self.abort, **lane)

    async def send(self, message):
        """Take a message."""
        if message["type"] == "websocket.close":
            self.end_straight()
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
        self._room -= self._take_bytes(frames)
        if self._room < 0:
            self.end_straight()
        return self._room >= 0

    def straight(self, ended):
        """Give the kernel's send, unless something goes before."""
        if self._room < 0:
            return None
        self._ended = ended
        return self.take

    def end_straight(self):
        """Have nothing go past the transport from now on."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def take(self, frames):
        """Take, past the transport, as much as there is room for; return how many bytes that is."""
        assert self._ended is not None, "the kernel was asked after the straight way had ended"
        assert self._room >= 0, "the kernel was asked while the transport kept something"
        self.asked += 1
        self.when_asked()
        if self.error is not None:
            raise self.error
        if self._room == 0:
            raise BlockingIOError
        taken = 0
        while taken < len(frames):
            size = size_of_first(frames[taken:])
            if self._room < 1:
                taken, self._room = taken + size // 2, 0
                break
            taken, self._room = taken + size, self._room - 1
        self._take_bytes(frames[:taken])
        return taken

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
        assert not self._torn, f"{message} is in the midst of a frame"
        self.messages.append(message)

    def _take_bytes(self, frames):
        """Take bytes behind those that came before; return how many frames they have made whole."""
        if self.error is not None:
            raise self.error
        frames, self._torn = self._torn + frames, b""
        whole = 0
        while frames:
            size = size_of_first(frames)
            if size > len(frames):
                self._torn = frames
                break
            # What is no frame, since others came in its midst, is no JSON: whoever reads it then learns of it.
            self.messages.append({"type": "websocket.send", "text": text_in(frames[:size])})
            frames, whole = frames[size:], whole + 1
        return whole

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
    for parcel in parcels_of([(number, event(number, size=size)) for number in numbers]):
        hand_out(parcel, StandingCrowd([connection]))


def feed(connection, *numbers, reached, is_up_to_date=True):
    """Give a connection that catches up a page with the events of these numbers."""
    connection.feed([(n, event(n)) for n in numbers], reached=reached, is_up_to_date=is_up_to_date)


def texts_in(frames):
    """Return the texts of frames as they are on the wire."""
    texts = []
    while frames:
        size = size_of_first(frames)
        texts.append(text_in(frames[:size]))
        frames = frames[size:]
    return texts


def size_of_first(frames):
    """Return how many bytes the first of these frames has, its header included; at least so many, if that is torn."""
    size = int.from_bytes(frames[1:2], "big")
    if size <= 125:
        return 2 + size
    start = 4 if size == 126 else 10
    return start + int.from_bytes(frames[2:start], "big")


def text_in(frame):
    """Return the text of a frame as it is on the wire."""
    assert frame[0] == 0x81, "final, and a text"
    size = int.from_bytes(frame[1:2], "big")
    return frame[2 if size <= 125 else 4 if size == 126 else 10 :].decode()


def event(number, size=0):
    """Return an event's frame, with that number of bytes more."""
    return protocol.frame({"type": "event", "n": number} | ({"padding": "x" * size} if size else {}))


async def turns():
    """Let everything run that can: nothing here waits for anything but the next turns of the loop."""
    for _ in range(5):
        await asyncio.sleep(0)
