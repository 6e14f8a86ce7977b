"""A crowd is handed a parcel as each of its connections would be by itself, whatever befalls one of them."""

import random

import pytest

from realtime import protocol
from realtime.connection import Crowd, StandingCrowd, hand_out
from realtime.outlets import parcels_of
from realtime.protocol import Close
from tests.realtime.transport import Transport, Way, event, live, turns

CROWDS = pytest.mark.parametrize("crowd_of", [Crowd, StandingCrowd])


def crowded(crowd_of, *rooms):
    """Return the transports of three connections that are live, and a crowd of these which has been sent event 1."""
    transports = [Transport(room=room, way=Way.STRAIGHT) for room in rooms]
    crowd = crowd_of([live(transport) for transport in transports])
    hand(crowd, 1)
    return transports, crowd


def hand(crowd, number):
    """Hand one event to a crowd."""
    (parcel,) = parcels_of([(number, event(number))])
    hand_out(parcel, crowd)


@CROWDS
async def test_each_goes_straight_from_its_second_event_on(crowd_of):
    transports, crowd = crowded(crowd_of, 9, 9, 9)

    hand(crowd, 2)
    hand(crowd, 3)

    assert [(t.kinds, t.asked) for t in transports] == [(["synced", 1, 2, 3], 2)] * 3


@CROWDS
async def test_who_has_no_room_is_asked_no_more_and_the_others_are(crowd_of):
    transports, crowd = crowded(crowd_of, 9, 3.5, 9)

    for number in range(2, 7):
        hand(crowd, number)
    assert [transport.asked for transport in transports] == [5, 2, 5]
    transports[1].make_room()
    await turns()
    hand(crowd, 7)
    hand(crowd, 8)

    assert [transport.kinds for transport in transports] == [["synced", *range(1, 9)]] * 3
    assert [transport.asked for transport in transports] == [7, 3, 7], "7 was offered, and left wholly"


@CROWDS
async def test_who_is_closed_by_what_befalls_another_before_its_turn_is_sent_nothing_behind_the_close(crowd_of):
    transports, crowd = crowded(crowd_of, 9, 9, 9)
    hand(crowd, 2)
    transports[0].when_asked = lambda: crowd.connections[1].close(Close.SERVER_ERROR)

    hand(crowd, 3)

    assert transports[1].kinds == ["synced", 1, 2, "goodbye", int(Close.SERVER_ERROR)]
    assert transports[0].kinds == transports[2].kinds == ["synced", 1, 2, 3]


async def test_one_that_stands_in_another_crowd_now_is_handed_what_that_is():
    transports, crowd = crowded(StandingCrowd, 9, 9, 9)
    hand(crowd, 2)

    others = StandingCrowd(crowd.connections[1:])
    transports[2].end_straight()
    hand(others, 3)
    hand(others, 4)

    assert [t.kinds for t in transports] == [["synced", 1, 2], ["synced", 1, 2, 3, 4], ["synced", 1, 2, 3, 4]]
    assert [t.asked for t in transports] == [1, 3, 2]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_a_standing_crowd_has_what_takes_for_each(seed):
    by_chance = random.Random(seed)
    transports, crowd = crowded(StandingCrowd, *[some_room(by_chance) for _ in range(5)])

    for number in range(2, 60):
        transport, connection = by_chance.choice(list(zip(transports, crowd.connections, strict=True)))
        match by_chance.randrange(12):
            case 0:
                connection.control(protocol.PING)
            case 1:
                transport.make_room()
                await turns()
            case 2:
                transport.end_straight()
            case 3 if by_chance.random() < 0.2:
                connection.close(Close.DRAIN)
            case 4 if by_chance.random() < 0.2:
                connection.gone()
            case 5:
                connection.catch_up(number)
                connection.go_live(number)
            case 6:
                crowd = StandingCrowd(crowd.connections)
        hand(crowd, number)
        assert crowd.takes == [connection.take for connection in crowd.connections]


def some_room(by_chance):
    """Return how much room a transport has: some are soon full."""
    return by_chance.choice([3, 5.5, 1000])
