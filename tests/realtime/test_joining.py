"""What may happen to a socket between its registration and the snapshot that lets it in."""

import asyncio
import threading
from dataclasses import replace

import pytest
from guardian.shortcuts import assign_perm

from accounts.models import User
from accounts.permissions import WATCH_SIGNUPS
from realtime import hub, snapshot
from realtime.models import Event
from realtime.protocol import Close
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user


class Reader:
    """The hub's reading, which the test may hold up: what was planned then has been planned."""

    def __init__(self, monkeypatch):
        self.go_on = threading.Event()
        self.go_on.set()
        self.plans = []
        self._read = snapshot.read
        monkeypatch.setattr(snapshot, "read", self.read)

    def read(self, plan):
        self.plans.append(plan)
        self.go_on.wait()
        return self._read(plan)

    async def is_held_up(self):
        count = len(self.plans)
        while len(self.plans) == count:  # noqa: ASYNC110  the thread that reads has no event of ours to set
            await asyncio.sleep(0.001)


@pytest.fixture
def reader(monkeypatch):
    reader = Reader(monkeypatch)
    yield reader
    reader.go_on.set()


@pytest.fixture
async def home(database):
    async with house() as home:
        home.acme = await home.write(make_tenant, "acme")
        home.alice = await home.write(make_user, home.acme, "alice", "owner")
        home.session = await home.write(make_session, home.alice)
        home.identity = await home.write(identity_of, home.session)
        yield home


async def test_one_that_closes_while_it_is_being_let_in_stays_closed(home, reader):
    reader.go_on.clear()
    socket = home.enter(home.identity)
    await reader.is_held_up()

    socket.connection.close(Close.BAD_MESSAGE)
    reader.go_on.set()
    await home.read_all()

    assert [frame["type"] for frame in socket.frames] == ["goodbye"]
    assert socket.closed == 4400
    assert not socket.connection.is_open


async def test_one_that_shows_a_token_while_it_is_being_let_in_is_let_in_all_the_same(home, reader):
    """Planned were the session, by another socket of it, and not this socket's cursor."""
    reader.go_on.clear()
    home.enter(home.identity)
    await reader.is_held_up()

    late = home.enter(home.identity, cursor="latest")
    home.hub.renew(late.connection, replace(home.identity, token_expires_at=home.identity.token_expires_at + 1))
    reader.go_on.set()
    await late.until(lambda s: s.of_type("auth.ok") and s.of_type("synced"))
    await home.write(make_user, home.acme, "dave")
    await late.until(lambda s: s.heard_of)

    assert [frame["type"] for frame in late.frames[:1]] == ["ready"]
    assert late.heard_of == ["dave"]


async def test_one_that_leaves_while_it_is_being_let_in_leaves_nothing_behind(home, reader):
    reader.go_on.clear()
    socket = home.enter(home.identity)
    await reader.is_held_up()

    home.hub.leave(socket.connection)
    reader.go_on.set()
    again = await home.socket(home.session)

    assert socket.frames == []
    assert home.hub.audiences[home.acme.pk].members == {again.connection}


async def test_of_many_who_come_back_at_once_each_turn_loads_only_those_whom_it_lets_in(home, reader, monkeypatch):
    monkeypatch.setattr(hub, "LET_IN_A_TURN", 2)
    last = await home.write(lambda: str(Event.objects.get(tenant=home.acme).pk))
    sessions = [await home.write(make_session, home.alice) for _ in range(7)]
    identities = [await home.write(identity_of, session) for session in sessions]
    reader.go_on.clear()
    first = home.enter(home.identity)
    await reader.is_held_up()

    coming_back = [home.enter(identity, cursor=last) for identity in identities]
    reader.go_on.set()
    for socket in (first, *coming_back):
        await socket.until(lambda s: s.of_type("synced"))

    assert all(socket.of_type("synced") == [{"type": "synced", "complete": True}] for socket in coming_back)
    assert max(len(plan.joining) for plan in reader.plans) == 2


async def test_whoever_has_been_moved_to_another_tenant_hears_the_first_no_more(home):
    globex = await home.write(make_tenant, "globex")
    bob = await home.write(make_user, home.acme, "bob", "viewer")
    socket = await home.socket(await home.write(make_session, bob))

    def move():
        assign_perm(WATCH_SIGNUPS, bob, globex)
        User.objects.filter(pk=bob.pk).update(tenant=globex)

    await home.write(move)
    await home.write(make_user, home.acme, "dave")
    await socket.until(lambda s: s.closed)

    assert (socket.closed, socket.heard_of) == (4403, [])
