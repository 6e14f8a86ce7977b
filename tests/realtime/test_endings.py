"""What ends by the clock ends with the next batch, before anything new is sent; and who has time left costs nothing."""

import random
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from realtime import rights, snapshot
from realtime.endings import Endings
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user

NOW = 1_000_000.0


@pytest.mark.parametrize("seed", range(20))
def test_each_ends_at_its_time_and_once(seed):
    """Held against a table that is looked through from end to end."""
    by_chance = random.Random(seed)
    endings, table, now = Endings(), {}, NOW
    for _ in range(300):
        socket = by_chance.randrange(30)
        match by_chance.randrange(4):
            case 0 | 1:
                table[socket] = now + by_chance.choice([-1, 0, 0.25, 1, 2.5, 60]) * by_chance.random()
                endings.put(socket, table[socket])
            case 2:
                table.pop(socket, None)
                endings.remove(socket)
            case _:
                now += by_chance.choice([0, 0.1, 0.5, 3])
                ended = {socket for socket, at in table.items() if at <= now}
                assert sorted(endings.due(now)) == sorted(ended)
                for socket in ended:
                    del table[socket]
        assert len(endings) == len(table)

    assert sorted(endings.due(now + 100)) == sorted(table)
    assert (endings._at, endings._by_second, endings._seconds) == ({}, {}, []), "nothing is left"
    assert not endings.is_due(now + 10**9)


@pytest.fixture
def skipped(monkeypatch):
    """How far the snapshots' clock is ahead: ``skipped.seconds``."""
    skipped = SimpleNamespace(seconds=0.0, time=lambda: time.time() + skipped.seconds)
    monkeypatch.setattr(snapshot, "time", skipped)
    return skipped


@pytest.fixture
async def home(database):
    """Alice and Bob watch acme, each in a session of a day with a token of an hour."""
    async with house() as home:
        home.acme = await home.write(make_tenant, "acme")
        for name in ("alice", "bob"):
            setattr(home, name, await home.write(make_session, await home.write(make_user, home.acme, name, "owner")))
        yield home


def shorten(session, seconds):
    session.expires_at = timezone.now() + timedelta(seconds=seconds)
    session.save(update_fields=["expires_at"])


async def test_nothing_new_is_sent_behind_the_end_of_a_session(home, skipped):
    await home.write(shorten, home.bob, 30)
    alice, bob = await home.socket(home.alice), await home.socket(home.bob)
    await home.write(make_user, home.acme, "dave")
    await bob.until(lambda s: s.heard_of == ["dave"])

    skipped.seconds = 31
    await home.write(make_user, home.acme, "erin")
    await alice.until(lambda s: s.heard_of == ["dave", "erin"])

    assert (bob.closed, bob.heard_of) == (4102, ["dave"])
    assert alice.closed is None


async def test_nor_behind_the_end_of_a_token_and_another_token_puts_it_off(home, skipped):
    alice, bob = await home.socket(home.alice), await home.socket(home.bob)
    later = replace(alice.connection.identity, token_expires_at=time.time() + 3 * 3600)
    home.hub.renew(alice.connection, later)
    await alice.until(lambda s: s.of_type("auth.ok"))

    skipped.seconds = 2 * 3600
    await home.write(make_user, home.acme, "dave")
    await alice.until(lambda s: s.heard_of == ["dave"])

    assert (bob.closed, bob.heard_of) == (4101, [])
    (audience,) = home.hub.audiences.values()
    assert len(audience.endings) == 1


async def test_who_has_time_left_and_was_not_loaded_is_not_looked_at(home, monkeypatch):
    socket = await home.socket(home.alice)
    for _ in range(20):
        home.enter(await home.write(identity_of, home.bob))
    await home.read_all()
    plans, judged = [], []
    read, judge = snapshot.read, rights.refusal_of
    monkeypatch.setattr(snapshot, "read", lambda plan: plans.append(plan) or read(plan))
    monkeypatch.setattr(rights, "refusal_of", lambda *args, now: judged.append(args) or judge(*args, now=now))

    for name in ("dave", "erin"):
        await home.write(make_user, home.acme, name)
        await socket.until(lambda s, name=name: s.heard_of[-1:] == [name])

    assert judged == []
    viewers = [plan.tenants[0].viewers for plan in plans]
    assert len(viewers) > 1
    assert all(each is viewers[0] for each in viewers), "what is known of the viewers is not put together anew"
