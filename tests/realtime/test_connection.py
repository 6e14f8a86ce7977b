"""A socket's outbound side: what goes first, what waits and how much of it, and who is told when it falls behind."""

import asyncio

import pytest

from realtime import connection as module
from realtime import protocol
from realtime.connection import MOST_BYTES, MOST_FRAMES, State
from tests.realtime.transport import Transport, connection_to, event, turns

RIGHTS = protocol.rights_changed([])


@pytest.fixture(params=[False, True], ids=["waits first", "takes first"])
def takes_first(request):
    return request.param


def live(transport, *, position=0, **more):
    """Return a connection that is live from a position on and has said so."""
    connection = connection_to(transport, **more)
    connection.go_live(position)
    return connection


def full(takes_first):
    """Return a connection, its ``synced`` on the way through a transport that has no room for it."""
    transport = Transport(room=0, takes_first=takes_first)
    connection = live(transport)
    return connection, transport


async def test_an_open_transport_gets_each_frame_at_once_and_no_task_is_made(takes_first):
    transport = Transport(takes_first=takes_first)
    connection = live(transport)
    tasks = asyncio.all_tasks()

    for number in range(1, 4):
        connection.offer(number, event(number))
        assert transport.kinds[-1] == number

    assert asyncio.all_tasks() == tasks
    assert connection.queued == 0


async def test_the_message_that_is_sent_is_the_frames_own_object():
    transport = Transport()
    frame = event(1)

    for connection in (live(transport), live(transport)):
        connection.offer(1, frame)

    assert transport.messages[-2] is transport.messages[-1] is frame.message


async def test_a_full_transport_holds_up_nothing_and_loses_no_order(takes_first):
    connection, transport = full(takes_first)
    for number in range(1, 10):
        connection.offer(number, event(number))
    assert connection.queued == 9

    transport.make_room(4)
    await turns()
    connection.offer(10, event(10))
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", *range(1, 11)]
    assert connection.state is State.LIVE


async def test_nothing_reaches_a_socket_that_is_still_joining():
    transport = Transport()
    connection = connection_to(transport)

    connection.offer(1, event(1))

    assert transport.kinds == []


async def test_live_it_skips_what_it_was_given_already():
    transport = Transport()
    connection = live(transport, position=5)

    for number in (4, 5, 6):
        connection.offer(number, event(number))

    assert transport.kinds == ["synced", 6]


async def test_over_64_frames_it_falls_behind_and_is_fed_no_more(takes_first):
    late = []
    connection, transport = full(takes_first)
    connection.on_behind = late.append

    for number in range(1, 10_001):
        connection.offer(number, event(number))

    assert connection.queued == MOST_FRAMES == 64
    assert connection.state is State.CATCHING_UP
    assert connection.considered == 64, "the log is to be read on after the last event that waits"
    assert late == [connection]
    assert not connection.wants_page, "what waits goes first"


async def test_over_256_kib_it_falls_behind(takes_first):
    connection, _ = full(takes_first)
    size = MOST_BYTES // 4

    for number in range(1, 6):
        connection.offer(number, event(number, size=size - event(number, size=1).size + 1))

    assert MOST_BYTES == 256 * 1024
    assert (connection.queued, connection.considered) == (4, 4), "four of 64 KiB fill it to the byte"


async def test_room_that_came_back_counts_again(takes_first):
    connection, transport = full(takes_first)
    for _ in range(3):
        for number in range(1, MOST_FRAMES + 1):
            connection.offer(number, event(number))
        assert connection.queued == MOST_FRAMES
        transport.make_room(MOST_FRAMES)
        await turns()

    assert connection.state is State.LIVE


async def test_one_that_is_behind_asks_for_a_page_once_everything_was_taken(takes_first):
    late = []
    connection, transport = full(takes_first)
    for number in range(1, 70):
        connection.offer(number, event(number))
    connection.on_behind = late.append

    transport.make_room(64)
    await turns()
    assert (late, connection.wants_page) == ([], False), "one is still on its way"
    transport.make_room()
    await turns()

    assert (late, connection.wants_page) == ([connection], True)
    assert transport.kinds == ["synced", *range(1, 65)]


async def test_after_its_page_it_is_live_again_and_synced_is_not_repeated(takes_first):
    connection, transport = full(takes_first)
    for number in range(1, 70):
        connection.offer(number, event(number))
    transport.make_room()
    await turns()

    for number in range(65, 70):
        connection.push(number, event(number))
    connection.go_live(69)
    for number in range(68, 72):
        connection.offer(number, event(number))

    assert transport.kinds == ["synced", *range(1, 72)]


@pytest.mark.parametrize("reason", [None, "unknown_cursor", "too_many"])
async def test_synced_comes_behind_the_page_and_says_why_it_is_not_complete(reason):
    transport = Transport()
    connection = connection_to(transport)
    connection.sync_reason = reason
    connection.catch_up(3)

    for number in (4, 6):
        connection.push(number, event(number))
    connection.go_live(6)

    *events, synced = transport.texts
    assert [e["n"] for e in events] == [4, 6]
    assert synced == {"type": "synced", "complete": True} | ({"complete": False, "reason": reason} if reason else {})


async def test_control_frames_go_before_the_events_that_wait_and_keep_their_order(takes_first):
    connection, transport = full(takes_first)
    for number in (1, 2):
        connection.offer(number, event(number))

    connection.control(RIGHTS)
    connection.control(protocol.PING)
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", "rights.changed", "ping", 1, 2]


async def test_control_frames_need_no_room_among_the_events(takes_first):
    connection, transport = full(takes_first)
    for number in range(1, 100):
        connection.offer(number, event(number))

    connection.control(protocol.PING)
    transport.make_room(2)
    await turns()

    assert transport.kinds[:2] == ["synced", "ping"]


async def test_rewinding_takes_back_what_waits_but_not_what_is_on_its_way(takes_first):
    late = []
    connection, transport = full(takes_first)
    for number in range(5, 9):
        connection.offer(number, event(number))
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


async def test_a_synced_that_was_taken_back_is_said_later(takes_first):
    transport = Transport(room=0, takes_first=takes_first)
    connection = connection_to(transport)
    connection.catch_up(0)
    for number in (1, 2):
        connection.push(number, event(number))
    connection.go_live(2)
    connection.offer(3, event(3))

    connection.rewind()  # 1 is on its way
    assert connection.considered == 1
    transport.make_room()
    await turns()
    for number in (2, 3):
        connection.push(number, event(number))
    connection.go_live(3)

    assert transport.kinds == [1, 2, 3, "synced"]


async def test_a_rewind_that_took_back_nothing_but_synced_repeats_no_event(takes_first):
    transport = Transport(room=0, takes_first=takes_first)
    connection = connection_to(transport)
    connection.catch_up(0)
    connection.push(1, event(1))
    connection.go_live(1)

    connection.rewind()

    assert connection.considered == 1


async def test_the_bounds_are_on_what_waits_and_not_on_a_page(takes_first):
    connection, transport = full(takes_first)
    connection.catch_up(0)

    for number in range(1, 201):
        connection.push(number, event(number))
    connection.go_live(200)
    connection.offer(201, event(201))

    assert (connection.state, connection.considered) == (State.CATCHING_UP, 200)
    transport.make_room()
    await turns()
    assert transport.kinds == ["synced", *range(1, 201)]


def test_the_times_are_those_of_the_protocol_page():
    assert (module.STALL_SECONDS, module.CLOSING_SECONDS) == (10, 1)
