"""A server that stands still, maybe inside a transaction: the others go on, and so does it when it wakes."""

import asyncio
import signal

import pytest

from config.impatience import IDLE_SECONDS
from tests.faults.experiment import Experiment
from tests.faults.history import lines_of

PER_SECOND = 15
MOST_SECONDS_TO_ANSWER = 20
"""Eight until a statement that waits for the log is ended, ten until the log is free; and some."""


@pytest.mark.timeout(600)
async def test_a_server_stands_still_and_goes_on(scale, seed, furnish, start_cluster, own_redis, history, conclude):
    # One tenant, so that all wait for one log.
    url, house = furnish(tenants=1, viewers=scale.of(short=10, long=50))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    rounds, seconds = scale.of(short=(1, 2.0), long=(6, IDLE_SECONDS + 3.0))

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        async with experiment.creating(per_second=PER_SECOND):
            for turn in range(rounds):
                await asyncio.sleep(experiment.random.uniform(1, 2))
                node = cluster.nodes[turn % 2]
                with history.fault("stands still", server=node.name):
                    node.server.process.send(signal.SIGSTOP)
                    await asyncio.sleep(seconds)
                    node.server.process.send(signal.SIGCONT)
        verdict = await experiment.verdict()

    lines = [line for line in lines_of(history.path) if line["kind"] == "create"]
    asked = {line["op"]: line for line in lines if line["phase"] == "invoke"}
    stood_still = [
        (f["server"], f["t"]) for f in lines_of(history.path) if f["kind"] == "fault" and f["phase"] == "begin"
    ]
    elsewhere = [
        line["t"] - asked[line["op"]]["t"]
        for line in lines
        if line["phase"] != "invoke"
        and not any(
            server == line.get("server") and asked[line["op"]]["t"] - 5 <= t + seconds and line["t"] >= t
            for server, t in stood_still
        )
    ]
    refused = [line for line in lines if line["phase"] == "fail" and line["status"] != 503]
    assert not cluster.complaints()
    conclude(
        "A server stands still",
        done=f"SIGSTOP of one of 2 servers for {seconds:g} s, {rounds} times, during {verdict.asked} creations in one "
        "tenant",
        bound="0 lost, leaked, stale; whoever asks another server is answered; its locks last 10 s",
        measured=verdict.measured() | {"slowest answer elsewhere": f"{max(elsewhere):.1f} s"},
        holds=verdict.is_clean and not verdict.incomplete and not refused and max(elsewhere) < MOST_SECONDS_TO_ANSWER,
    )
