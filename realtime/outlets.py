"""
The two ways out of a socket: the server's fast lane, and the plain ASGI ``send`` where there is none.

Neither waits. An outlet that has room takes frames until it has none, and says when there is room again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from realtime.protocol import Close, Frame
from realtime.sending import step

Take = Callable[[bytes], int]
"""Has the kernel take bytes; returns how many it took, and raises ``OSError`` where it takes none."""
NOTHING_ASKED = -1
"""What a ``Take`` returns where the kernel may not be asked."""

MOST_FRAMES = 64
PARCEL_BYTES = 64 * 1024
"""At most so many are joined, unless one frame alone is more: as many as a server's buffer takes before it is full."""

Send = Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]]
Shown = tuple[int, Frame]
"""An event's position, and the frame that shows it to some class of viewers."""


class Parcel(msgspec.Struct, eq=False):
    """Events in the order of the log as one class of viewers sees them: joined once, for every socket of the class."""

    events: Sequence[Shown]
    wire: bytes
    """All frames as they go over a WebSocket."""
    first: int
    """The position of the first event."""
    _frames: Sequence[Frame] | None = None

    @property
    def frames(self) -> Sequence[Frame]:
        """The frames, for sockets that take them one by one."""
        if self._frames is None:
            self._frames = [frame for _, frame in self.events]
        return self._frames


def parcels_of(shown: Sequence[Shown]) -> list[Parcel]:
    """Return the parcels of these events: each is one write where there is a lane, and fits into an empty queue."""
    if len(shown) == 1:  # as nearly always where many tenants have few viewers each
        ((position, frame),) = shown
        return [Parcel(shown, frame.wire, position)]
    parcels: list[Parcel] = []
    events: list[Shown] = []
    size = 0
    for position, frame in shown:
        size += frame.size
        if events and (size > PARCEL_BYTES or len(events) == MOST_FRAMES):
            parcels.append(_parcel_of(events))
            events, size = [], frame.size
        events.append((position, frame))
    if events:
        parcels.append(_parcel_of(events))
    return parcels


def _parcel_of(events: Sequence[Shown]) -> Parcel:
    return Parcel(events, b"".join([frame.wire for _, frame in events]), events[0][0])


def joined(frames: Sequence[Frame]) -> bytes:
    """Return frames as they follow each other over a WebSocket."""
    return frames[0].wire if len(frames) == 1 else b"".join([frame.wire for frame in frames])


class Outlet:
    """A plain ASGI ``send``, stepped by hand: each frame by itself, and what does not end at once ends in a task."""

    __slots__ = ("_rest", "_send", "abort", "has_room", "on_broken", "on_room")
    joins = False
    """Whether frames that are sent together leave in one write."""

    def __init__(self, send: Send, *, abort: Callable[[], None]) -> None:
        self.abort = abort
        """Drops the socket at once."""
        self.has_room = True
        self.on_room: Callable[[], None] = _nothing
        """Called when there is room again."""
        self.on_broken: Callable[[Exception], None] = _nothing
        """Called when a send has failed after it had to wait."""
        self._send = send
        self._rest: asyncio.Task[None] | None = None

    def send(self, frames: Sequence[Frame], wire: bytes | None = None) -> int:
        """
        Send frames, in order, while there is room; return how many were taken. There must be room when it is called.

        ``wire`` is the frames joined, if somebody has done that. Raises what the server raises for a peer that is gone.
        """
        send = self._send
        for taken, frame in enumerate(frames, 1):
            rest = step(send(frame.message))
            if rest is not None:
                self._finish_later(rest)
                return taken
        return len(frames)

    def straight(self, ended: Callable[[], None]) -> Take | None:
        """
        Return the kernel's own send, past all of the server, or None where there is none or something goes before.

        It takes joined frames; what it leaves of them goes by ``send``, and nothing may go between. It must not be
        called any more once ``ended`` was.
        """
        return None

    def close(self, close: Close) -> None:
        """Close the socket, behind all that was taken; raises as ``send`` does."""
        rest = step(self._send({"type": "websocket.close", "code": int(close), "reason": close.reason}))
        if rest is not None:
            self._finish_later(rest)

    def stop(self) -> None:
        """Send nothing more, call nobody, and leave nothing running."""
        self.on_room = self.on_broken = _nothing
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _finish_later(self, rest: Coroutine[Any, Any, None]) -> None:
        self.has_room = False
        self._rest = asyncio.get_running_loop().create_task(self._finish(rest))
        # A task that is cancelled before its first step never comes to what it was to await.
        self._rest.add_done_callback(partial(_close, rest))

    async def _finish(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
        except Exception as error:  # noqa: BLE001  whatever it is, the connection is told
            self.on_broken(error)
        finally:
            self._rest = None
        self.has_room = True
        self.on_room()


class FastLane(Outlet):
    """
    The server's lane for ready-made frames: one write for all that goes out together, and no coroutine.

    The transport takes all that it is given. What the kernel has no room for waits in the transport's own buffer, and
    until that is empty nothing more is written.
    """

    __slots__ = ("_straight", "_write")
    joins = True

    def __init__(
        self,
        send: Send,
        *,
        abort: Callable[[], None],
        write: Callable[[bytes], bool],
        when_written: Callable[[Callable[[], None]], None],
        straight: "Callable[[Callable[[], None]], Take | None]" = lambda ended: None,
    ) -> None:
        super().__init__(send, abort=abort)
        self._write = write
        self._straight = straight
        when_written(self._written)

    def straight(self, ended: Callable[[], None]) -> Take | None:
        return self._straight(ended) if self.joins else None

    def send(self, frames: Sequence[Frame], wire: bytes | None = None) -> int:
        self.has_room = self._write(wire or joined(frames))
        return len(frames)

    def _written(self) -> None:
        self.has_room = True
        self.on_room()


class SingleFileLane(FastLane):
    """The lane with a write for each frame. Only measurements want that: it tells what joining is worth."""

    __slots__ = ()
    joins = False

    def send(self, frames: Sequence[Frame], wire: bytes | None = None) -> int:
        for taken, frame in enumerate(frames, 1):
            if not self._write(frame.wire):
                self.has_room = False
                return taken
        return len(frames)


LANE = ("write", "when_written", "straight")
"""What a server's lane consists of. Not every transport has the last one."""
LANES: Mapping[str, type[FastLane]] = {"on": FastLane, "single": SingleFileLane}


def outlet_of(scope: Mapping[str, Any], send: Send, *, fast_lane: str) -> Outlet:
    """
    Return the way out of an accepted socket: the lane if its server has one and ``fast_lane`` is not "off".

    docs/configuration.md says what else ``USHER_FAST_LANE`` may be.
    """
    extension, abort = _extension(scope), abort_of(scope)
    lane = LANES.get(fast_lane)
    if lane is None or "write" not in extension:
        return Outlet(send, abort=abort)
    return lane(send, abort=abort, **{name: extension[name] for name in LANE if name in extension})


def abort_of(scope: Mapping[str, Any]) -> Callable[[], None]:
    """Return what drops a socket at once; under a server that offers nothing of the kind it does nothing."""
    abort: Callable[[], None] = _extension(scope).get("abort", _nothing)
    return abort


def _extension(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    extension: Mapping[str, Any] = scope.get("extensions", {}).get("usher.transport", {})
    return extension


def _nothing(*_: object) -> None:
    pass


def _close(coroutine: Coroutine[Any, Any, None], _: "asyncio.Task[None]") -> None:
    coroutine.close()
