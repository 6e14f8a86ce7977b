"""How a connection ends: with a goodbye, cut off, stalled, broken or gone, and never with anything left running."""

import asyncio

import pytest

from realtime import connection as module
from realtime import protocol
from realtime.connection import State
from realtime.protocol import Close
from tests.realtime.transport import Transport, connection_to, feed, offer, turns, with_waiting


@pytest.fixture
def shortly(monkeypatch):
    """Let a stalled socket be closed, and a closing one cut off, in the next turns of the loop."""
    monkeypatch.setattr(module, "STALL_SECONDS", 0.001)
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.001)


class Waiter(Transport):
    """A transport that tells when it was cut off."""

    def __init__(self, **more):
        super().__init__(**more)
        self.cut_off = asyncio.Event()

    def abort(self):
        super().abort()
        self.cut_off.set()


async def test_closing_says_goodbye_and_then_closes_with_the_same_words():
    transport = Transport()
    connection = with_waiting(transport)

    connection.close(Close.SESSION_ENDED, retry_after_ms=250)

    goodbye, close = transport.messages[-2:]
    assert goodbye == protocol.goodbye(Close.SESSION_ENDED, retry_after_ms=250).message
    assert close == {"type": "websocket.close", "code": 4102, "reason": "session ended; log in again"}
    assert not connection.is_open
    connection.gone()


async def test_without_a_hint_it_is_told_to_spread_its_coming_back():
    hints = set()
    for _ in range(50):
        transport = Transport()
        connection = with_waiting(transport)
        connection.close(Close.DRAIN)
        connection.gone()
        hints.add(transport.texts[-1]["retry_after_ms"])

    assert len(hints) > 10
    assert all(0 <= hint <= 2000 for hint in hints)


async def test_closing_drops_what_waits_but_ends_what_is_on_its_way(way):
    transport = Transport(room=0, way=way)
    connection = with_waiting(transport, 1, 2, 3)
    connection.control(protocol.PING)

    connection.close(Close.DRAIN)
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", "goodbye", 4000]
    connection.gone()


async def test_nothing_comes_after_the_close(way):
    transport = Transport(room=1, way=way)
    connection = with_waiting(transport)
    connection.close(Close.NOT_AUTHORISED)

    connection.close(Close.SERVER_ERROR)
    connection.control(protocol.PING)
    offer(connection, 1)
    feed(connection, 2, reached=2)
    connection.catch_up(0)
    connection.go_live(5)
    connection.rewind()
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", "goodbye", 4403]
    assert connection.state is State.CLOSED
    connection.gone()


async def test_one_that_closes_before_it_was_let_in_stays_closed():
    transport = Transport()
    connection = connection_to(transport)

    connection.close(Close.BAD_MESSAGE)
    connection.go_live(3)

    assert transport.kinds == ["goodbye", 4400]
    assert connection.state is State.CLOSED
    connection.gone()


@pytest.mark.usefixtures("shortly")
async def test_a_full_transport_is_cut_off(way):
    transport = Waiter(room=0, way=way)
    connection = with_waiting(transport, 1, 2)

    connection.close(Close.DRAIN)
    await transport.cut_off.wait()

    assert transport.kinds == (["synced"] if way.takes_first else [])
    connection.gone()
    await turns()
    assert transport.aborted == 1


@pytest.mark.usefixtures("shortly")
async def test_a_peer_that_never_answers_the_close_is_cut_off_too():
    transport = Waiter()
    connection = with_waiting(transport)

    connection.close(Close.DRAIN)
    await transport.cut_off.wait()

    assert transport.kinds == ["synced", "goodbye", 4000]


@pytest.mark.usefixtures("shortly")
async def test_who_takes_nothing_for_too_long_is_told_to_come_back_and_cut_off(way):
    transport = Waiter(room=0, way=way)
    connection = with_waiting(transport, 1)

    await transport.cut_off.wait()
    assert not connection.is_open

    transport.make_room()  # if there is room after all, these are the last words
    await turns()
    assert transport.kinds == ["synced", "goodbye", 4002]
    connection.gone()


async def test_each_frame_that_is_taken_starts_the_clock_anew(way):
    transport = Transport(room=0, way=way)
    connection = with_waiting(transport, 1, 2)
    first = connection._timer
    assert first is not None

    transport.make_room(1)
    await turns()

    assert first.cancelled()
    assert connection._timer is not None
    assert connection._timer.when() >= first.when()
    transport.make_room()
    await turns()
    assert connection._timer is None, "a transport with room has no clock"
