"""A socket that fell behind, or whose events were taken back: it goes on from the log, and nothing comes twice."""

import pytest

from realtime import protocol
from realtime.connection import State
from tests.realtime.transport import Transport, Way, connection_to, feed, full, live, offer, turns

RIGHTS = protocol.rights_changed([])
one_by_one = pytest.mark.parametrize("way", [Way.WAITS_FIRST, Way.TAKES_FIRST])


async def test_one_that_is_behind_asks_for_a_page_once_everything_was_taken(way):
    late = []
    connection, transport = full(way)
    for number in range(1, 70):
        offer(connection, number)
    connection.on_behind = late.append

    transport.make_room(64)
    await turns()
    assert (late, connection.wants_page) == ([], False), "one is still on its way"
    transport.make_room()
    await turns()

    assert (late, connection.wants_page) == ([connection], True)
    assert transport.kinds == ["synced", *range(1, 65)]


async def test_after_its_page_it_is_live_again_and_synced_is_not_repeated(way):
    connection, transport = full(way)
    for number in range(1, 70):
        offer(connection, number)
    transport.make_room()
    await turns()

    feed(connection, *range(65, 70), reached=69)
    for number in range(68, 72):
        offer(connection, number)

    assert transport.kinds == ["synced", *range(1, 72)]


@pytest.mark.parametrize("reason", [None, "unknown_cursor", "too_many"])
async def test_synced_comes_behind_the_page_and_says_why_it_is_not_complete(reason):
    transport = Transport()
    connection = connection_to(transport)
    connection.sync_reason = reason
    connection.catch_up(3)

    feed(connection, 4, 6, reached=6)

    *events, synced = transport.texts
    assert [e["n"] for e in events] == [4, 6]
    assert synced == {"type": "synced", "complete": True} | ({"complete": False, "reason": reason} if reason else {})


@one_by_one
async def test_rewinding_takes_back_what_waits_but_not_what_is_on_its_way(way):
    late = []
    connection, transport = full(way)
    for number in range(5, 9):
        offer(connection, number)
    transport.make_room(2)
    await turns()  # "synced" and 5 are through, 6 is on its way, 7 and 8 wait
    connection.on_behind = late.append

    connection.rewind()
    connection.control(RIGHTS)
    assert (connection.queued, connection.considered, connection.state) == (0, 6, State.CATCHING_UP)
    transport.make_room()
    await turns()

    assert late[-1] is connection
    assert connection.wants_page
    assert transport.kinds == ["synced", 5, 6, "rights.changed"]


async def test_rewinding_with_nothing_waiting_changes_nothing():
    transport = Transport()
    connection = live(transport, position=7)

    connection.rewind()

    assert (connection.state, connection.considered) == (State.LIVE, 7)


@one_by_one
async def test_a_synced_that_was_taken_back_is_said_later(way):
    transport = Transport(room=0, way=way)
    connection = connection_to(transport)
    connection.catch_up(0)
    feed(connection, 1, 2, reached=2)
    offer(connection, 3)

    connection.rewind()  # 1 is on its way
    assert connection.considered == 1
    transport.make_room()
    await turns()
    feed(connection, 2, 3, reached=3)

    assert transport.kinds == [1, 2, 3, "synced"]


async def test_a_rewind_that_took_back_nothing_but_synced_repeats_no_event(way):
    transport = Transport(room=0, way=way)
    connection = connection_to(transport)
    connection.catch_up(0)
    feed(connection, 1, reached=1)

    connection.rewind()

    assert connection.considered == 1
