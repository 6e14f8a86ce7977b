"""
One contract, three channel layers: in memory, channels-redis' pub/sub and its core layer, these on a real Redis.

The layer only carries hints, so what is asked of each is little: one member per process and tenant, a bell that is
heard, a group that is left, and all of it again after whatever may happen to Redis.
"""

import asyncio
import signal

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from realtime import bell, hearing
from tests.realtime.layers import another_process, heard_again, listening, members, rung, until

pytestmark = pytest.mark.usefixtures("quickly")
ACME, GLOBEX = 4712, 4713


async def test_a_bell_that_is_rung_elsewhere_is_heard_by_those_in_its_group_alone(kind, redis):
    async with listening(ACME) as (_, acme), listening(GLOBEX) as (_, globex):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)

        await rung(kind, GLOBEX, 1)
        await rung(kind, ACME, 2)
        await until(lambda: acme and globex)

    assert (acme, globex) == ([(ACME, 2)], [(GLOBEX, 1)])


async def test_a_group_is_left_and_others_are_not(kind, redis):
    async with listening(ACME, GLOBEX) as (ears, heard):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)

        ears.leave(ACME)
        await until(lambda: members(kind, redis.url, ACME) == 0)
        await rung(kind, ACME, 1)
        await rung(kind, GLOBEX, 2)
        await until(lambda: heard)

        assert heard == [(GLOBEX, 2)]
        assert members(kind, redis.url, GLOBEX) == 1


async def test_in_the_end_all_groups_are_left(kind, redis):
    async with listening(ACME, GLOBEX) as (ears, _):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)
        ears.leave(GLOBEX)  # and no turn of the loop to do so

    await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 0)


async def test_the_end_waits_for_no_frozen_redis(fragile):
    server, kind = fragile, fragile.kind
    async with listening(ACME) as (_, heard):
        await heard_again(kind, ACME, heard)
        server.process.send(signal.SIGSTOP)
        began = asyncio.get_running_loop().time()

    try:
        assert asyncio.get_running_loop().time() - began < hearing.LEAVING_SECONDS + 1
    finally:
        server.process.send(signal.SIGCONT)


async def test_a_group_may_be_joined_anew_however_quickly(kind, redis):
    async with listening(ACME) as (ears, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)
        for _ in range(5):
            ears.leave(ACME)
            ears.join(ACME)
        ears.leave(GLOBEX)

        await heard_again(kind, ACME, heard)
        assert members(kind, redis.url, ACME) == 1


async def test_a_flushed_redis_is_joined_again(kind, redis):
    async with listening(ACME) as (_, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)

        redis.clear()

        await heard_again(kind, ACME, heard)
        assert members(kind, redis.url, ACME) == 1


async def test_after_a_restart_of_redis_the_bells_are_heard_again(fragile):
    server, kind = fragile, fragile.kind
    async with listening(ACME) as (_, heard):
        await heard_again(kind, ACME, heard)

        server.kill()
        server.start()

        await heard_again(kind, ACME, heard)
        await until(lambda: members(kind, server.url, ACME) == 1)


async def test_who_begins_while_redis_is_away_hears_when_it_is_back(fragile):
    server, kind = fragile, fragile.kind
    server.kill()
    async with listening(ACME) as (_, heard):
        server.start()

        await heard_again(kind, ACME, heard)


async def test_a_message_of_another_kind_is_not_a_bell(kind, redis):
    async with listening(ACME) as (_, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)
        group = bell.group_of(ACME)
        layer = channel_layers[DEFAULT_CHANNEL_LAYER] if kind == "memory" else another_process()
        for message in (
            {"type": "user_created", "tenant": ACME, "head": 1},
            {"type": "usher.bell"},
            {"type": "usher.bell", "tenant": str(ACME), "head": 1},
            {"type": "usher.bell", "tenant": ACME, "head": None},
        ):
            await layer.group_send(group, message)
        await rung(kind, ACME, 5)
        await until(lambda: heard)

    assert heard == [(ACME, 5)]
