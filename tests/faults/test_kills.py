"""kill -9 of servers, restarts of Redis and FLUSHALL, in any order, while users are created and rights change."""

import asyncio
import time
from collections import Counter

from tests.faults.experiment import Experiment
from tests.faults.revoking import revoking

MOST_GAP_SECONDS = 3
CHANGES_PER_SECOND = 2
PAUSE_SECONDS = 0.5
AWAY_SECONDS = (PAUSE_SECONDS, 4.0)
"""How long Redis stays away, and a killed server stays dead."""


async def test_servers_and_redis_die_and_nothing_is_lost(
    scale, seed, furnish, start_cluster, own_redis, history, conclude
):
    url, house = furnish(tenants=scale.of(short=3, long=10), viewers=scale.of(short=30, long=500))
    kinds = scale.of(short=("daphne", "uvicorn"), long=("daphne", "uvicorn", "uvicorn"))
    cluster = start_cluster(*kinds, DATABASE_URL=url, REDIS_URL=own_redis.url)
    faults = scale.of(short=["kill", "restart", "flush"] * 2, long=["kill"] * 30 + ["restart"] * 20 + ["flush"] * 20)
    creations, per_second = scale.of(short=(240, 20), long=(10_000, 40))

    async def kill():
        # The nodes in turn, so that one of the others is always up.
        node = cluster.nodes[next(victims) % len(cluster.nodes)]
        await cluster.kill(node)
        await asyncio.sleep(PAUSE_SECONDS)
        await cluster.bring_back(node)

    async def restart():
        # Now for less than a sweep of the servers, now for more.
        with history.fault("Redis gone"):
            await asyncio.to_thread(own_redis.kill)
            await asyncio.sleep(experiment.random.choice(AWAY_SECONDS))
            await asyncio.to_thread(own_redis.start)

    async def flush():
        await asyncio.to_thread(own_redis.clear)

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        victims = iter(range(len(faults)))
        experiment.random.shuffle(faults)
        began = time.monotonic()
        async with (
            revoking(experiment, per_second=CHANGES_PER_SECOND) as changes,
            experiment.creating(per_second=per_second),
        ):
            for turn, name in enumerate(faults):
                await experiment.creations.until_asked(creations * (turn + 1) // (len(faults) + 1))
                await {"kill": kill, "restart": restart, "flush": flush}[name]()
            await experiment.creations.until_asked(creations)
            seconds = time.monotonic() - began
        verdict = await experiment.verdict()

    counts = Counter(faults)
    assert not cluster.complaints()
    is_whole = verdict.is_clean and not verdict.creations["unexcused"] and not verdict.incomplete
    people = f"{len(house.seats)} viewers of {len(house.tenants)} tenants, {len(kinds)} servers"
    conclude(
        "kill -9, Redis restarts, FLUSHALL",
        done=f"{counts['kill']} kills, {counts['restart']} restarts, {counts['flush']} FLUSHALL during {verdict.asked}"
        f" creations in {seconds:.0f} s and {changes.made.total()} changes of rights; {people}",
        bound="0 lost, leaked, stale; positions contiguous; answered by every server that lives; gap at most 3 s there;"
        " complete at reconnect",
        measured=verdict.measured() | {"taken": changes.made["take"], "given": changes.made["give"]},
        holds=is_whole
        and changes.made.keys() == {"take", "give"}
        and (verdict.worst_gap <= MOST_GAP_SECONDS or not scale.is_long),
    )
