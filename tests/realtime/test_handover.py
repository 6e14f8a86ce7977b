"""From the log to live: a socket that comes back while events keep coming gets each of them once, in order."""

import asyncio
import itertools
import random
from functools import partial

import pytest

from accounts import users
from accounts.users import Newcomer
from realtime.models import Event
from tests.realtime.house import House, Socket, house, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

MISSED = 1000
PER_SECOND = 200
SECONDS = 3


async def _create_steadily(home: House, tenant) -> None:
    """Create so many users a second: the pace makes the load, nothing is asserted of it."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(PER_SECOND * SECONDS):
        await home.write(make_user, tenant, f"live {number}")
        await asyncio.sleep(max(0.0, began + (number + 1) / PER_SECOND - loop.time()))


def _log_of(tenant) -> list[str]:
    ids = Event.objects.filter(tenant=tenant).order_by("position").values_list("id", flat=True)
    return [str(identity) for identity in ids]


def _has_heard(events: int, socket: Socket) -> bool:
    return len(socket.of_type("user.created")) >= events or socket.closed is not None


async def _stutter(socket: Socket, seed: int) -> None:
    """Have a transport fill up and drain again and again."""
    chance = random.Random(seed)
    while True:
        socket.room.clear()
        await asyncio.sleep(chance.random() * 0.05)
        socket.room.set()
        await asyncio.sleep(chance.random() * 0.05)


@pytest.mark.timeout(300)
async def test_a_long_replay_meets_a_steady_stream():
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        (first,) = await home.write(_log_of, acme)
        people = [Newcomer(username=f"missed {number}") for number in range(MISSED)]
        await home.write(users.import_users, tenant=acme, people=people)
        session = await home.write(make_session, alice)
        stream = asyncio.create_task(_create_steadily(home, acme))
        # Some come back at once, some in the middle of the stream; some read slowly and fall behind on the way.
        sockets: list[Socket] = []
        stutters = []
        for wave, seed in itertools.product(range(3), range(2)):
            if seed == 0 and wave:
                witness = sockets[0]
                await witness.until(partial(_has_heard, MISSED + wave * 150))
            socket = await home.socket(session, cursor=first)
            if seed:
                stutters.append(asyncio.create_task(_stutter(socket, wave)))
            sockets.append(socket)
        await stream
        for stutter in stutters:
            stutter.cancel()
        for socket in sockets:
            socket.room.set()
        expected = (await home.write(_log_of, acme))[1:]
        for socket in sockets:
            await socket.until(partial(_has_heard, len(expected)))

    assert len(expected) == MISSED + PER_SECOND * SECONDS
    assert [socket.closed for socket in sockets] == [None] * len(sockets)
    for socket in sockets:
        assert [frame["id"] for frame in socket.of_type("user.created")] == expected
        assert socket.of_type("synced") == [{"type": "synced", "complete": True}]
        types = [frame["type"] for frame in socket.frames]
        assert types[0] == "ready"
        assert types.index("synced") > MISSED, "it is synced only when all that was missed has come"


async def test_without_a_cursor_a_socket_is_synced_at_once_from_the_head():
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        await home.write(make_user, acme, "before")
        socket = await home.socket(await home.write(make_session, alice))
        await home.write(make_user, acme, "after")
        await socket.until(lambda s: s.heard_of)

    assert [frame["type"] for frame in socket.frames] == ["ready", "synced", "user.created"]
    assert socket.heard_of == ["after"]
