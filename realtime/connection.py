"""
One open socket as the hub sees it: what waits to be sent, how far it has come, and how it ends.

Nothing here waits. A frame goes to the outlet at once while that has room; if not, it waits in a bounded queue. So one
slow reader costs its own memory, never another's time.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from realtime import protocol
from realtime.outlets import MOST_FRAMES, NOTHING_ASKED, PARCEL_BYTES, Outlet, Parcel, Shown, Take
from realtime.protocol import Close, Frame

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
MOST_CONTROLS = 32
"""More control frames than this wait only for a client that asks for them and does not read the answers."""
STALL_SECONDS = 10.0
"""How long a socket may take nothing before it is closed."""
CLOSING_SECONDS = 1.0
"""How long a full transport gets to make room for the last words, and a peer to answer them."""
RETRY_SPREAD_MS = 2000
SYNCED = {reason: protocol.synced(reason) for reason in (None, "unknown_cursor", "too_many")}


class State(Enum):
    """Where a connection stands with its tenant's log."""

    JOINING = "joining"
    """Registered; the hub's own snapshot has not loaded its rights yet."""
    CATCHING_UP = "catching up"
    LIVE = "live"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who holds a connection, as a checked token says."""

    user_id: UUID
    tenant_id: int
    session_id: UUID
    token_expires_at: float


class Crowd:
    """Connections that are handed the same parcels."""

    __slots__ = ("connections",)

    def __init__(self, connections: Iterable["Connection"]) -> None:
        self.connections = tuple(connections)

    @property
    def takes(self) -> Iterable[Take]:
        """What takes the bytes for each of them, asked for when it is its turn: what goes before may change it."""
        return (connection.take for connection in self.connections)


class StandingCrowd(Crowd):
    """A crowd from batch to batch. A connection is in one at most, which has its ``take`` as it is at any time."""

    __slots__ = ("takes",)

    def __init__(self, connections: Iterable["Connection"]) -> None:
        super().__init__(connections)
        self.takes: list[Take] = [connection.take for connection in self.connections]
        for place, connection in enumerate(self.connections):
            connection.stand(self.takes, place)


def hand_out(parcel: Parcel, crowd: Crowd) -> None:
    """
    Hand a parcel to each connection of a crowd.

    This is the innermost loop. Nearly always one call of the kernel is all that it does for a socket, and of a standing
    crowd not even the connection is looked at: whatever is, among thousands, has to come from memory each time.
    """
    wire, size = parcel.wire, len(parcel.wire)
    for place, take in enumerate(crowd.takes):
        try:
            taken = take(wire)
        except OSError:  # there is no room at all, or nobody there: the transport will find out
            taken = 0
        if taken != size:
            crowd.connections[place].offer(parcel, taken)


def _take_nothing(wire: bytes) -> int:
    return NOTHING_ASKED


class Connection:
    """A socket's outbound side. Made by its consumer, fed by the hub, on one event loop."""

    __slots__ = (
        *("considered", "cursor", "identity", "on_behind", "on_renewed", "state", "sync_reason", "take"),
        *("_controls", "_event_bytes", "_events", "_is_synced", "_outlet", "_parting", "_place", "_takes", "_timer"),
    )

    def __init__(
        self,
        *,
        identity: Identity,
        outlet: Outlet,
        cursor: str | None = None,
        on_behind: "Callable[[Connection], None]" = lambda connection: None,
    ) -> None:
        self.identity = identity
        self.cursor = cursor
        self.state = State.JOINING
        self.considered = 0
        """The last position that was queued, or judged invisible. Means nothing while live with an empty queue."""
        self.sync_reason: str | None = None
        """Why this connection does not get all that it missed, if it does not."""
        self.on_behind = on_behind
        """Called when this connection can take a page of the log."""
        self.on_renewed: Callable[[], None] = lambda: None
        """Called when another token has been accepted."""
        self.take: Take = _take_nothing
        """
        Has the kernel take a parcel's bytes, past all that is here, while this connection is live and nothing waits
        for it; returns ``NOTHING_ASKED`` otherwise. What it does not take is to be offered.
        """
        self._takes: list[Take] | None = None
        """Where its crowd has ``take``, at ``_place``."""
        self._place = 0
        self._is_synced = False
        self._outlet = outlet
        outlet.on_room, outlet.on_broken = self._go_on, self._broken
        # Whatever waits here waits because the outlet has no room.
        self._events: list[Shown] = []
        self._event_bytes = 0
        self._controls: list[Frame] = []
        self._parting: Close | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything may still be queued."""
        return self.state is not State.CLOSED

    @property
    def wants_page(self) -> bool:
        """Whether this connection is behind, and everything queued has been handed to the transport."""
        return self.state is State.CATCHING_UP and not self._events and self._outlet.has_room

    @property
    def leaves_joined(self) -> bool:
        """Whether frames that are offered together leave in one write."""
        return self._outlet.joins

    @property
    def queued(self) -> int:
        """How many events wait."""
        return len(self._events)

    def renew(self, identity: Identity) -> None:
        """Stand, from now on, on another token."""
        self.identity = identity
        self.control(protocol.auth_ok(identity.token_expires_at))
        self.on_renewed()

    def offer(self, parcel: Parcel, taken: int = NOTHING_ASKED) -> None:
        """
        Send live events; a connection over its bound is fed no more, and catches up from the log later.

        ``taken``: so many bytes of them ``take`` has taken already, if it was asked.
        """
        if taken >= 0:
            self._send(parcel.frames, parcel.wire[taken:])
            return
        if self.state is not State.LIVE:
            return
        waiting: Sequence[Shown] = parcel.events
        if self.considered >= parcel.first:
            waiting = [shown for shown in waiting if shown[0] > self.considered]
        elif self._outlet.has_room:
            sent = self._send(parcel.frames, parcel.wire)
            if sent == len(waiting):
                self._go_straight()
                return
            waiting = waiting[sent:]
        for position, frame in waiting:
            if len(self._events) >= MOST_FRAMES or self._event_bytes + frame.size > MOST_BYTES:
                self._fall_behind(position - 1)
                break
            self._queue(position, frame)
        self._pump()

    def _go_straight(self) -> None:
        """Have the next parcel handed to the kernel by ``take``, if this one left nothing behind."""
        take = self._outlet.straight(self._go_around) if self.state is State.LIVE else None
        if take is not None:
            self._have_taken_by(take)

    def _go_around(self) -> None:
        """Have each parcel offered: something goes before it, or it is not for this connection."""
        self._have_taken_by(_take_nothing)

    def _have_taken_by(self, take: Take) -> None:
        self.take = take
        if self._takes is not None:
            self._takes[self._place] = take

    def stand(self, takes: list[Take], place: int) -> None:
        """Be in a crowd that has ``take`` at that place of these, and in no other one any more."""
        self._takes, self._place = takes, place

    def feed(self, page: Iterable[Shown], *, reached: int, is_up_to_date: bool) -> None:
        """Send a page of the log that goes up to ``reached``; with nothing new behind it the connection is live."""
        if not self.is_open:
            return
        for position, frame in page:
            self._queue(position, frame)
        self.considered = reached
        if is_up_to_date:
            self.go_live(reached)
        else:
            self._pump()

    def control(self, frame: Frame) -> None:
        """Queue a frame that goes before all events that wait."""
        if self.is_open:
            self._controls.append(frame)
            self._pump()
        if len(self._controls) > MOST_CONTROLS:
            self.close(Close.SLOW_CONSUMER)

    def catch_up(self, position: int) -> None:
        """Begin to read the log after ``position``."""
        if self.is_open:
            self._fall_behind(position)

    def go_live(self, position: int) -> None:
        """Take live events from after ``position`` on; say ``synced``, once, behind the events that wait."""
        if not self.is_open:
            return
        self.considered = position
        self.state = State.LIVE
        self._go_around()  # not before an event has come that is behind this position
        if not self._is_synced:
            self._is_synced = True
            # One past the last event: taking the frame back must not bring that event back too.
            self._queue(position + 1, SYNCED[self.sync_reason])
        self._pump()

    def cut_off(self, position: int, reason: str) -> None:
        """Go live after ``position`` without all that was missed, and say so; close if ``synced`` was said before."""
        if self._is_synced:
            self.close(Close.RESYNC)
            return
        self.sync_reason = reason
        self.go_live(position)

    def rewind(self) -> None:
        """Take back the events that wait: they were judged under rights that no longer hold. The log has them."""
        if not self._events or not self.is_open:
            return
        if any(frame is SYNCED[self.sync_reason] for _, frame in self._events):
            self._is_synced = False
        first = self._events[0][0]
        self._forget_events()
        self._fall_behind(first - 1)

    def close(self, close: Close, *, retry_after_ms: int | None = None) -> None:
        """Say goodbye and close; whatever waits is dropped. A transport that takes nothing is cut off in a second."""
        if not self.is_open:
            return
        if retry_after_ms is None:
            spread = random.randint(0, RETRY_SPREAD_MS) if close.is_to_be_spread else 0  # noqa: S311  keeps no secret
            retry_after_ms = close.retry_after_seconds * 1000 + spread
        self._forget()
        self._controls.append(protocol.goodbye(close, retry_after_ms=retry_after_ms))
        self._parting = close
        self._set_timer(CLOSING_SECONDS, self._outlet.abort)
        self._pump()

    def gone(self) -> None:
        """Note that the peer is gone: nothing more is sent, and nothing is left running."""
        self._forget()
        self._stop_timer()
        self._outlet.stop()

    def _fall_behind(self, position: int) -> None:
        self.considered = position
        self.state = State.CATCHING_UP
        self._go_around()
        self.on_behind(self)

    def _queue(self, position: int, frame: Frame) -> None:
        self._events.append((position, frame))
        self._event_bytes += frame.size

    def _forget(self) -> None:
        self.state = State.CLOSED
        self._go_around()
        self._controls.clear()
        self._parting = None
        self._forget_events()

    def _forget_events(self) -> None:
        self._events.clear()
        self._event_bytes = 0

    def _pump(self) -> None:
        """Hand on what waits while there is room: what goes first first, and the events joined to parcels."""
        while self._outlet.has_room:
            if self._controls:
                del self._controls[: self._send(self._controls)]
            elif self._parting is not None:
                self._part(self._parting)
            elif self._events:
                self._send_events()
            else:
                return

    def _send_events(self) -> None:
        frames: list[Frame] = []
        size = 0
        for _, frame in self._events:
            size += frame.size
            if frames and size > PARCEL_BYTES:
                break
            frames.append(frame)
        taken = self._send(frames)
        self._event_bytes -= sum(frame.size for _, frame in self._events[:taken])
        del self._events[:taken]

    def _send(self, frames: Sequence[Frame], wire: bytes | None = None) -> int:
        """Hand frames to the outlet; return how many it took. To one that is broken everything is lost, and taken."""
        try:
            taken = self._outlet.send(frames, wire)
        except Exception as error:  # noqa: BLE001  a broken peer must not break the batch being delivered
            self._broken(error)
            return len(frames)
        if not self._outlet.has_room and self.is_open:
            self._set_timer(STALL_SECONDS, self._stalled)
        return taken

    def _part(self, close: Close) -> None:
        self._parting = None
        try:
            self._outlet.close(close)
        except Exception as error:  # noqa: BLE001  as above
            self._broken(error)

    def _go_on(self) -> None:
        """Send what waits, now that there is room again."""
        if self.is_open:
            self._stop_timer()
        self._pump()
        if self.wants_page:
            self.on_behind(self)

    def _stalled(self) -> None:
        self.close(Close.SLOW_CONSUMER)

    def _broken(self, error: Exception) -> None:
        logger.debug("a send failed (%s): the peer is gone", type(error).__name__)
        self._forget()
        # If the peer is there after all, it must not take a socket for live on which nothing will ever come. But not at
        # once: a server that ends a socket by itself refuses what is sent meanwhile, and its last words are on the way.
        self._set_timer(CLOSING_SECONDS, self._outlet.abort)

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
