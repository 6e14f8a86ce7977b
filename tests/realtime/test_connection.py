"""A socket's outbound side: what goes first, what waits and how much of it, and who is told when it falls behind."""

import asyncio

from realtime import connection as module
from realtime import protocol
from realtime.connection import MOST_BYTES, MOST_CONTROLS, MOST_FRAMES, State
from realtime.outlets import parcels_of
from tests.realtime.transport import Transport, connection_to, event, feed, full, live, offer, turns

RIGHTS = protocol.rights_changed([])


async def test_an_open_transport_gets_each_frame_at_once_and_no_task_is_made(way):
    transport = Transport(way=way)
    connection = live(transport)
    tasks = asyncio.all_tasks()

    for number in range(1, 4):
        offer(connection, number)
        assert transport.kinds[-1] == number

    assert asyncio.all_tasks() == tasks
    assert connection.queued == 0


async def test_the_message_that_is_sent_is_the_frames_own_object():
    transport = Transport()
    frame = event(1)

    for connection in (live(transport), live(transport)):
        (parcel,) = parcels_of([(1, frame)])
        connection.offer(parcel)

    assert transport.messages[-2] is transport.messages[-1] is frame.message


async def test_a_full_transport_holds_up_nothing_and_loses_no_order(way):
    connection, transport = full(way)
    for number in range(1, 10):
        offer(connection, number)
    assert connection.queued == 9

    transport.make_room(4)
    await turns()
    offer(connection, 10)
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", *range(1, 11)]
    assert connection.state is State.LIVE


async def test_nothing_reaches_a_socket_that_is_still_joining():
    transport = Transport()
    connection = connection_to(transport)

    offer(connection, 1)

    assert transport.kinds == []


async def test_live_it_skips_what_it_was_given_already():
    transport = Transport()
    connection = live(transport, position=5)

    for number in (4, 5, 6):
        offer(connection, number)

    assert transport.kinds == ["synced", 6]


async def test_over_64_frames_it_falls_behind_and_is_fed_no_more(way):
    late = []
    connection, _ = full(way)
    connection.on_behind = late.append

    for number in range(1, 10_001):
        offer(connection, number)

    assert connection.queued == MOST_FRAMES == 64
    assert connection.state is State.CATCHING_UP
    assert connection.considered == 64, "the log is to be read on after the last event that waits"
    assert late == [connection]
    assert not connection.wants_page, "what waits goes first"


async def test_over_256_kib_it_falls_behind(way):
    connection, _ = full(way)
    size = MOST_BYTES // 4

    for number in range(1, 6):
        offer(connection, number, size=size - event(number, size=1).size + 1)

    assert MOST_BYTES == 256 * 1024
    assert (connection.queued, connection.considered) == (4, 4), "four of 64 KiB fill it to the byte"


async def test_what_does_not_fit_any_more_is_not_squeezed_in(way):
    connection, _ = full(way)

    for number in range(1, 4):
        offer(connection, number, size=MOST_BYTES * 2 // 5)

    assert (connection.queued, connection.state, connection.considered) == (2, State.CATCHING_UP, 2)


async def test_room_that_came_back_counts_again(way):
    connection, transport = full(way)
    for _ in range(3):
        for number in range(1, MOST_FRAMES + 1):
            offer(connection, number)
        assert connection.queued == MOST_FRAMES
        transport.make_room(MOST_FRAMES)
        await turns()

    assert connection.state is State.LIVE


async def test_control_frames_go_before_the_events_that_wait_and_keep_their_order(way):
    connection, transport = full(way)
    for number in (1, 2):
        offer(connection, number)

    connection.control(RIGHTS)
    connection.control(protocol.PING)
    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", "rights.changed", "ping", 1, 2]


async def test_control_frames_need_no_room_among_the_events(way):
    connection, transport = full(way)
    for number in range(1, 100):
        offer(connection, number)

    connection.control(protocol.PING)
    transport.make_room(2)
    await turns()

    assert transport.kinds[:2] == ["synced", "ping"]


async def test_the_bounds_are_on_what_waits_and_not_on_a_page(way):
    connection, transport = full(way)
    connection.catch_up(0)

    feed(connection, *range(1, 201), reached=200)
    offer(connection, 201)

    assert (connection.state, connection.considered) == (State.CATCHING_UP, 200)
    transport.make_room()
    await turns()
    assert transport.kinds == ["synced", *range(1, 201)]


def test_the_times_are_those_of_the_protocol_page():
    assert (module.STALL_SECONDS, module.CLOSING_SECONDS) == (10, 1)


async def test_control_frames_that_nobody_reads_end_the_connection(way):
    connection, transport = full(way)
    for _ in range(MOST_CONTROLS):
        connection.control(RIGHTS)
    assert connection.is_open

    connection.control(RIGHTS)
    transport.make_room()
    await turns()

    assert transport.kinds[-2:] == ["goodbye", 4002]
