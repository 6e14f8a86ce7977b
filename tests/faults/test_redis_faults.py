"""Redis freezes, refuses the password, is full: creations are answered all the same, and who watches misses nothing."""

import asyncio
import signal
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from tests.faults.experiment import Experiment

PER_SECOND = 15
MOST_GAP_SECONDS = 3


def freeze(redis):
    redis.process.send(signal.SIGSTOP)


def thaw(redis):
    redis.process.send(signal.SIGCONT)


def ask_for_a_password(redis):
    with Redis.from_url(redis.url) as client:
        client.config_set("requirepass", "open-sesame")
        # Whoever is connected has been let in already.
        client.client_kill_filter(_type="pubsub")
        client.client_kill_filter(_type="normal", skipme=True)


def ask_for_none(redis):
    with Redis.from_url(redis.url, password="open-sesame") as client:
        client.config_set("requirepass", "")


def fill(redis):
    with Redis.from_url(redis.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")


def make_room(redis):
    with Redis.from_url(redis.url) as client:
        client.config_set("maxmemory", "0")


FAULTS = {"frozen": (freeze, thaw), "password": (ask_for_a_password, ask_for_none), "full": (fill, make_room)}


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_redis_fails_in_every_way(scale, seed, furnish, start_cluster, own_redis, history, conclude, layer):
    url, house = furnish(tenants=2, viewers=scale.of(short=20, long=100))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url, USHER_CHANNEL_LAYER=layer)
    rounds, seconds = scale.of(short=(1, 2.5), long=(3, 5))

    @asynccontextmanager
    async def broken(name):
        break_it, mend_it = FAULTS[name]
        with history.fault(f"Redis {name}"):
            await asyncio.to_thread(break_it, own_redis)
            yield
            await asyncio.to_thread(mend_it, own_redis)

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        faults = experiment.random.sample(list(FAULTS), len(FAULTS)) * rounds
        async with experiment.creating(per_second=PER_SECOND):
            for name in faults:
                await asyncio.sleep(seconds)
                async with broken(name):
                    await asyncio.sleep(seconds)
            await asyncio.sleep(seconds)
        verdict = await experiment.verdict()

    assert not cluster.complaints()
    is_whole = verdict.is_clean and not verdict.creations["unexcused"] and not verdict.incomplete
    conclude(
        f"Redis frozen, refusing, full ({layer})",
        done=f"{len(faults)} outages of {seconds:g} s during {verdict.asked} creations, 2 servers",
        bound="0 lost, leaked, stale; all creations answered; delivery gap at most 3 s",
        measured=verdict.measured(),
        holds=is_whole and (verdict.worst_gap <= MOST_GAP_SECONDS or not scale.is_long),
    )
