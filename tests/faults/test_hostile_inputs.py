"""Inputs as they should not be, by the thousand, while others watch: each gets its answer, and nobody is the worse."""

import asyncio
import time

import pytest

from tests.faults.experiment import Experiment
from tests.faults.latency import delivery_seconds, quantile
from tests.faults.memory import resident_megabytes
from tests.stories.hostile import attack

MOST_MEGABYTES = 20
WITHIN_SECONDS = 1.0
NOISE_SECONDS = 0.1
"""What two phases without any attack differ by on two cores; a tenth of a second is nothing that a viewer sees."""


@pytest.mark.timeout(1800)
async def test_thousands_of_malformed_inputs(scale, seed, furnish, start_cluster, own_redis, history, conclude):
    inputs, quiet_seconds, hostile_seconds = scale.of(short=(250, 2, 3), long=(5000, 40, 100))
    per_second = scale.of(short=5, long=10)
    url, house = furnish(tenants=2, viewers=scale.of(short=20, long=100))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    pids = [node.server.process.pid for node in cluster.nodes]

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        token = experiment.tokens[house.owner_of("t1").username]
        targets = [(node.front, token) for node in cluster.nodes]
        await _attacked(targets, seed=seed + 1, inputs=len(targets) * scale.of(short=5, long=400))  # warm
        before = [resident_megabytes(pid) for pid in pids]
        async with experiment.creating(per_second=per_second):
            await asyncio.sleep(quiet_seconds)
            struck = time.monotonic()
            result = await _attacked(targets, seed=seed, inputs=inputs, per_second=inputs / hostile_seconds)
        grown = [resident_megabytes(pid) - size for pid, size in zip(pids, before, strict=True)]
        ended = time.monotonic()
        verdict = await experiment.verdict()

    times = delivery_seconds(history.path)
    quiet = quantile([seconds for at, seconds in times if at < struck], 0.99)
    hostile = quantile([seconds for at, seconds in times if struck <= at < ended], 0.99)
    restarts = sum(
        not node.is_up or node.server.process.pid != pid for node, pid in zip(cluster.nodes, pids, strict=True)
    )
    is_right = not result.wrong and not restarts and not cluster.complaints()
    is_whole = verdict.is_clean and not verdict.creations["unexcused"] and not verdict.incomplete
    is_quick = result.quantile(0.99) <= WITHIN_SECONDS and hostile <= max(2 * quiet, NOISE_SECONDS)
    conclude(
        "Malformed inputs",
        done=f"{result.sent} inputs of {result.classes} classes, sockets and HTTP, to daphne and uvicorn",
        bound="right code or status, 99 % within 1 s; 0 tracebacks, 0 restarts, at most +20 MB; viewers: "
        "0 lost, p99 within twice the quiet one, or 0.1 s",
        measured={
            "wrong": result.wrong[:5] or 0,
            "tracebacks": cluster.complaints().count("Traceback"),
            "restarts": restarts,
            "p99 of the answers": f"{result.quantile(0.99):.3f} s",
            "memory": ", ".join(f"{size:+.1f} MB" for size in grown),
            "viewers' p99 before": f"{quiet:.3f} s",
            "meanwhile": f"{hostile:.3f} s",
            **verdict.measured(),
        },
        holds=is_right and is_whole and (not scale.is_long or (is_quick and max(grown) <= MOST_MEGABYTES)),
    )


async def _attacked(targets: list[tuple[str, str]], *, seed: int, inputs: int, per_second: float = 0) -> attack.Result:
    process = attack.begin(attack.Plan(targets, seed, inputs, per_second))
    return await asyncio.to_thread(attack.result_of, process)
