"""Ringing while Redis is frozen, or dead: nobody waits, bells add up into one, and nothing is left behind."""

import logging
import signal
import time

import pytest

from realtime import bell
from realtime.models import Event
from tests.realtime.house import make_tenant, make_user
from tests.realtime.layers import LONG, ear, until

pytestmark = pytest.mark.usefixtures("own_bell")


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
