"""Straight to the kernel: only while a connection is live, nothing goes before, and the event is one it has not had."""

import pytest

from realtime import protocol
from realtime.connection import NOTHING_ASKED, State
from realtime.outlets import parcels_of
from realtime.protocol import Close
from tests.realtime.transport import Transport, Way, connection_to, event, feed, live, offer, turns


def straight(transport):
    """Return a connection whose next event goes straight: it has been sent the events 1 and 2."""
    connection = live(transport)
    offer(connection, 1)
    offer(connection, 2)
    assert (transport.kinds, transport.asked) == (["synced", 1, 2], 1)
    return connection


async def test_once_an_event_has_left_wholly_the_next_goes_straight():
    transport = Transport(way=Way.STRAIGHT)
    connection = straight(transport)

    offer(connection, 3, 4)
    connection.control(protocol.PING)
    offer(connection, 5)

    assert transport.kinds == ["synced", 1, 2, 3, 4, "ping", 5]
    assert (transport.asked, transport.writes) == (3, 3), "synced, the first event and the ping are written"


@pytest.mark.parametrize(("room", "asked"), [(3, 2), (3.5, 2), (4.5, 3)])
async def test_what_the_kernel_leaves_is_written_and_what_comes_meanwhile_waits(room, asked):
    transport = Transport(room=room, way=Way.STRAIGHT)
    connection = straight(transport)

    for number in range(3, 7):
        offer(connection, number)
    assert transport.asked == asked
    assert connection.queued == 6 - int(room), "and one is in the transport"
    connection.control(protocol.PING)
    transport.make_room()
    await turns()
    offer(connection, 7)
    offer(connection, 8)

    at = int(room)
    assert transport.kinds == ["synced", *range(1, at + 1), "ping", *range(at + 1, 9)]
    assert transport.asked == asked + 1, "7 was offered, and left wholly"


async def test_of_a_parcel_the_kernel_may_take_some_frames_and_a_half():
    transport = Transport(room=5, way=Way.STRAIGHT)
    connection = straight(transport)

    offer(connection, *range(3, 9))
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", *range(1, 9)]
    assert (transport.writes, transport.asked) == (3, 2)


async def test_an_event_that_it_has_does_not_come_again_when_it_goes_live_anew():
    transport = Transport(way=Way.STRAIGHT)
    connection = straight(transport)

    connection.go_live(5)
    for number in range(3, 8):
        offer(connection, number)

    assert transport.kinds == ["synced", 1, 2, 6, 7]


async def test_one_that_begins_to_catch_up_gets_nothing_but_what_it_is_fed():
    transport = Transport(way=Way.STRAIGHT)
    connection = straight(transport)

    connection.catch_up(2)
    offer(connection, 4)
    feed(connection, 3, 4, reached=4)
    offer(connection, 5)

    assert transport.kinds == ["synced", 1, 2, 3, 4, 5]


async def test_of_one_that_is_gone_the_kernel_is_asked_nothing():
    transport = Transport(way=Way.STRAIGHT)
    connection = straight(transport)

    connection.gone()
    offer(connection, 3)

    assert (transport.kinds, transport.asked) == (["synced", 1, 2], 1)


async def test_of_one_that_is_closed_while_its_transport_is_full_the_kernel_is_asked_nothing():
    transport = Transport(room=3, way=Way.STRAIGHT)
    connection = straight(transport)
    connection.control(protocol.PING)

    connection.close(Close.DRAIN)
    offer(connection, 3)
    transport.make_room()
    await turns()
    offer(connection, 4)

    assert transport.kinds == ["synced", 1, 2, "ping", "goodbye", 4000]
    assert transport.asked == 1
    connection.gone()


@pytest.mark.parametrize("asked", [0, 1], ids=["before the kernel was ever asked", "after it was"])
async def test_of_a_peer_that_turns_out_to_be_gone_the_kernel_is_asked_no_more(asked):
    transport = Transport(way=Way.STRAIGHT)
    connection = straight(transport) if asked else live(transport)

    transport.break_off()
    for number in range(3, 6):
        offer(connection, number)

    assert (connection.state, transport.asked) == (State.CLOSED, 2 * asked)
    connection.gone()


async def test_while_it_joins_the_kernel_is_asked_nothing():
    transport = Transport(way=Way.STRAIGHT)
    connection = connection_to(transport)
    (parcel,) = parcels_of([(1, event(1))])

    assert connection.take(parcel.wire) == NOTHING_ASKED
    offer(connection, 1)

    assert transport.kinds == []
