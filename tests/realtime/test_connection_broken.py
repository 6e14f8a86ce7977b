"""A peer that is gone, or a transport that fails: nothing is raised to who delivers, and nothing is left running."""

import asyncio

import pytest

from realtime import protocol
from realtime.connection import CLOSING_SECONDS, State
from realtime.protocol import Close
from tests.realtime.transport import Transport, offer, turns, with_waiting


@pytest.mark.parametrize("room", [0, 1])
async def test_a_broken_send_breaks_nothing_else_and_cuts_off(way, room):
    transport = Transport(room=room, way=way)
    connection = with_waiting(transport, 1, 2)
    sent = transport.kinds

    transport.break_off()
    offer(connection, 3)
    await turns()
    offer(connection, 4)
    connection.control(protocol.PING)
    connection.close(Close.DRAIN)
    await turns()

    assert transport.kinds == sent
    assert connection.state is State.CLOSED
    assert transport.aborted == 0, "the server's own last words may be on the way"
    # A peer that is still there must not take the socket for live.
    timer = connection._timer
    assert timer.when() - asyncio.get_running_loop().time() <= CLOSING_SECONDS
    timer._run()
    assert transport.aborted == 1
    connection.gone()


async def test_a_send_that_breaks_at_once_is_not_raised_to_who_delivers():
    transport = Transport()
    connection = with_waiting(transport)
    transport.break_off()

    offer(connection, 1)

    assert (connection.state, connection.queued) == (State.CLOSED, 0)
    connection.gone()
    assert (connection._timer, transport.aborted) == (None, 0)


async def test_when_the_peer_is_gone_nothing_is_left(way):
    transport = Transport(room=0, way=way)
    connection = with_waiting(transport, 1, 2)
    sending = asyncio.all_tasks() - {asyncio.current_task()}
    assert len(sending) == (not way.is_lane)

    connection.gone()
    await turns()

    assert all(task.cancelled() for task in sending)
    assert (connection.queued, connection._timer, connection._outlet._rest) == (0, None, None)
    transport.make_room()
    await turns()
    assert transport.kinds == (["synced"] if way.takes_first else [])


async def test_who_is_gone_while_closing_leaves_no_clock_behind():
    transport = Transport(room=0)
    connection = with_waiting(transport)
    connection.close(Close.DRAIN)

    connection.gone()
    await turns()

    assert connection._timer is None
    assert transport.aborted == 0
