"""The bell: it holds counters and nothing else, nobody waits for it, and without Redis nobody misses it."""

import asyncio
import logging
import os
import signal
import threading
import time

import pytest
from django.db import transaction

from accounts.models import User
from realtime import bell
from realtime.models import Event
from tests.realtime.house import make_tenant, make_user
from tests.realtime.layers import LONG, WITH_REDIS, another_process, settings_of, until
from tests.services.redis import RedisServer


@pytest.fixture(autouse=True)
def _own_publisher(monkeypatch):
    monkeypatch.setattr(bell, "_publishers", [])
    monkeypatch.setattr(bell, "_listeners", set())


@pytest.fixture(params=WITH_REDIS)
def kind(request):
    return request.param


@pytest.fixture
def with_redis(kind, redis, settings):
    settings.CHANNEL_LAYERS = settings_of(kind, redis.url)


@pytest.fixture
def fragile(kind, settings):
    """A Redis server that may be broken."""
    server = RedisServer()
    settings.CHANNEL_LAYERS = settings_of(kind, server.url)
    yield server
    server.process.send(signal.SIGCONT)
    server.stop()


async def ear(tenant_id):
    """Be another process in a tenant's group; return a coroutine function for its next message."""
    layer = another_process()
    channel = await layer.new_channel()
    await layer.group_add(bell.group_of(tenant_id), channel)

    async def heard():
        # Not cut off while it is in use: see realtime.hearing.
        return await layer.receive(channel)

    return heard


def test_a_tenants_group_has_one_spelling():
    assert bell.group_of(42) == "tenant_42_user_notifications"


@pytest.mark.parametrize("tenant_id", [0, -1, True, "42", "42_user_notifications", None, 4.2])
def test_what_is_no_tenants_id_has_no_group(tenant_id):
    with pytest.raises(ValueError, match="expected a positive int"):
        bell.group_of(tenant_id)


@pytest.mark.usefixtures("with_redis")
async def test_what_goes_through_the_layer_is_counters_and_nothing_else(redis):
    heard = await ear(4711)

    bell.ring(4711, 17)

    assert await heard() == {"type": "usher.bell", "tenant": 4711, "head": 17}


def test_this_processes_listeners_are_told_first_and_in_the_callers_thread():
    told = []
    bell.listen(lambda *bell: told.append((*bell, threading.current_thread())))

    bell.ring(1, 5)
    bell.ring(2)

    assert told == [(1, 5, threading.main_thread()), (2, 0, threading.main_thread())]


def test_who_stops_listening_is_told_no_more():
    told = []
    bell.listen(told.append)
    bell.stop_listening(told.append)
    bell.stop_listening(told.append)

    bell.ring(1, 5)

    assert told == []


def test_in_memory_there_is_nobody_else_and_no_thread():
    threads = threading.active_count()

    bell.ring(1, 5)

    assert (threading.active_count(), bell._publishers, bell.flush()) == (threads, [], True)


def test_it_rings_when_the_transaction_has_committed_and_not_when_it_was_rolled_back(database):
    told = []
    bell.listen(lambda *bell: told.append(bell))

    with transaction.atomic():
        bell.ring_on_commit(1, 5)
        assert told == []
    with pytest.raises(OSError, match="no"), transaction.atomic():
        bell.ring_on_commit(1, 6)
        raise OSError("no")

    assert told == [(1, 5)]


def test_whatever_fails_while_ringing_fails_no_request(database, caplog):
    def broken(tenant_id, head):
        raise OSError("a hub that is broken")

    bell.listen(broken)

    make_user(make_tenant("acme"), "dave")

    assert User.objects.filter(username="dave").exists()
    assert "a hub that is broken" in caplog.text


async def test_bells_that_wait_are_joined_into_the_latest(fragile):
    heard = await ear(7)
    bell.ring(7, 1)
    assert (await heard())["head"] == 1
    fragile.process.send(signal.SIGSTOP)

    for head in range(2, 500):
        bell.ring(7, head)
    fragile.process.send(signal.SIGCONT)

    heads = [(await heard())["head"]]
    while heads[-1] < 499:
        heads.append((await heard())["head"])
    assert len(heads) <= 4, "what was under way, and the rest in one"


@pytest.mark.parametrize("bells", [[(7, 0), (7, 9)], [(7, 9), (7, 0)], [(7, 9), (7, 0), (7, 10)]])
async def test_joined_with_a_bell_without_a_head_all_of_it_is_without(fragile, bells):
    """Or a hub that has read that far already would not look at the rights that have changed."""
    heard = await ear(7)
    fragile.process.send(signal.SIGSTOP)
    bell.ring(7, 8)
    await until(lambda: not bell._publishers[0]._pending)  # it is under way

    for one in bells:
        bell.ring(*one)
    fragile.process.send(signal.SIGCONT)

    assert [(await heard())["head"], (await heard())["head"]] == [8, 0]


def test_with_a_frozen_redis_it_returns_at_once(fragile):
    bell.ring(1, 1)
    assert bell.flush(LONG)
    fragile.process.send(signal.SIGSTOP)

    began = time.monotonic()
    for number in range(200):
        bell.ring(1 + number % 50, number)
    took = time.monotonic() - began

    assert took < bell.PUBLISH_SECONDS, "200 bells together wait for less than one publish would"
    assert not bell.flush(0)


def test_with_redis_gone_people_are_created_as_ever_and_it_is_said_once(fragile, database, caplog, monkeypatch):
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.0)
    acme = make_tenant("acme")
    fragile.kill()

    for number in range(5):
        make_user(acme, f"user {number}")
        assert bell.flush(LONG)

    assert Event.objects.count() == 5
    assert caplog.messages.count("bells are not getting through (ConnectionError); sockets hear by the sweep") == 1


async def test_when_redis_is_back_so_are_the_bells(fragile, caplog):
    caplog.set_level(logging.WARNING, "realtime.bell")
    fragile.kill()
    bell.ring(7, 1)
    bell.flush(LONG)
    fragile.start()
    heard = await ear(7)

    bell.ring(7, 2)

    assert (await heard())["head"] == 2
    await until(lambda: caplog.messages[-1] == "bells are getting through again")


def test_an_outage_leaves_no_layers_behind(fragile, monkeypatch):
    """Each failure begins with a new layer, and channels-redis hangs every layer onto its loop for good."""
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.0)
    fragile.kill()
    for number in range(20):
        bell.ring(1, number)
        assert bell.flush(LONG)

    (publisher,) = bell._publishers
    assert "close" not in vars(publisher._loop)


@pytest.mark.usefixtures("with_redis")
async def test_a_fork_rings_for_itself(redis):
    bell.ring(1, 1)
    assert bell.flush(LONG)
    heard = await ear(7)

    child = os.fork()
    if not child:
        bell.ring(7, 3)
        os._exit(0 if bell.flush(LONG) else 1)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert (await heard())["head"] == 3
