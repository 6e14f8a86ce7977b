"""A server stands still inside a transaction, with the log locked: the others go on, and so does it when it wakes."""

import asyncio
import signal

import psycopg
import pytest

from config.impatience import IDLE_SECONDS
from tests.faults.cluster import Node
from tests.faults.decided import decided_in
from tests.faults.experiment import Experiment

PER_SECOND = 15
MOST_SECONDS_TO_ANSWER = 20
"""Eight until a statement that waits for the log is ended, ten until the log is free; and some."""
ENOUGH_WAITING = 6
"""Creations go to both servers by turns, so some of these are of the one that is to stand still."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'usher' AND cardinality(pg_blocking_pids(pid)) > 0"
HOLDING = (
    "SELECT pid FROM pg_stat_activity AS holder WHERE application_name = 'usher' AND state = 'idle in transaction'"
    " AND state_change < clock_timestamp() - interval '1 s'"  # one that is awake is idle for less
    " AND EXISTS (SELECT FROM pg_stat_activity AS waiting WHERE holder.pid = ANY(pg_blocking_pids(waiting.pid)))"
)


async def stand_still_with_the_log_locked(url: str, node: Node) -> None:
    """
    Stop a server while it and the other wait for the log, then let go of the log, which it is given as its turn comes.

    Returns when it has the log, and others wait for it; raises ``TimeoutError`` if that never comes.
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watching:
        async with await psycopg.AsyncConnection.connect(url) as holding:
            await holding.execute("SELECT FROM tenants_head FOR UPDATE")
            await _until_at_least(ENOUGH_WAITING, WAITING, watching)
            node.server.process.send(signal.SIGSTOP)
        await _until_at_least(1, HOLDING, watching)


async def _until_at_least(number: int, query: str, connection: psycopg.AsyncConnection) -> None:
    async with asyncio.timeout(IDLE_SECONDS - 2):
        # Nothing tells when a transaction begins to wait.
        while (await connection.execute(query)).rowcount < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_a_server_stands_still_and_goes_on(scale, seed, furnish, start_cluster, own_redis, history, conclude):
    # One tenant, so that all wait for one log.
    url, house = furnish(tenants=1, viewers=scale.of(short=10, long=50))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    rounds, seconds = scale.of(short=1, long=6), IDLE_SECONDS + 3.0
    still: list[tuple[str, float, float]] = []
    """(server, from, to)"""

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        clock = asyncio.get_running_loop().time
        async with experiment.creating(per_second=PER_SECOND):
            for turn in range(rounds):
                await asyncio.sleep(experiment.random.uniform(1, 2))
                node = cluster.nodes[turn % 2]
                began = clock()
                with history.fault("stands still", server=node.name):
                    try:
                        await stand_still_with_the_log_locked(url, node)
                        await asyncio.sleep(seconds)
                    finally:
                        node.server.process.send(signal.SIGCONT)
                still.append((node.name, began, clock()))
        verdict = await experiment.verdict()

    creations = decided_in(history.path)
    elsewhere = [c for c in creations if not any(c.server == name and c.overlaps(a, b) for name, a, b in still)]
    slowest = max(creation.seconds for creation in elsewhere)
    refused = [creation for creation in creations if creation.phase == "fail"]
    at_rest = [creation for creation in refused if not any(creation.overlaps(a, b) for _, a, b in still)]
    gone_on = [
        sum(c.phase == "ok" and c.server != name and a + IDLE_SECONDS <= c.answered <= b for c in creations)
        for name, a, b in still
    ]
    assert not cluster.complaints()
    conclude(
        "A server stands still",
        done=f"SIGSTOP of one of 2 servers for {seconds:g} s while it has the log locked, {rounds} times, during "
        f"{verdict.asked} creations in one tenant",
        bound="0 lost, leaked; whoever asks another server is answered within 20 s, with 503 if the log is "
        "locked for 8 s; after 10 s the log is free, and the other goes on",
        measured=verdict.measured()
        | {
            "unknown, elsewhere": sum(creation.phase == "unknown" for creation in elsewhere),
            "slowest answer elsewhere": f"{slowest:.1f} s",
            "of the refused, elsewhere": sum(creation.phase == "fail" for creation in elsewhere),
            "refused while none stood still": len(at_rest),
            "created elsewhere before it woke": gone_on,
        },
        holds=verdict.is_clean
        and not verdict.incomplete
        # When it wakes, the time of connections that were kept alive is over, and what they have brought is not read.
        and not any(creation.phase == "unknown" for creation in elsewhere)
        and all(creation.status == 503 for creation in refused)
        and all(gone_on)
        and slowest < MOST_SECONDS_TO_ANSWER
        and (not at_rest or not scale.is_long),
    )
