"""SIGTERM under load: goodbye to everybody, an answer to all that was begun, and nothing lost over ten restarts."""

import time

from tests.faults.experiment import Experiment
from tests.faults.reading import recorded_in

MOST_EXIT_SECONDS = 15
SPREAD_MS = 5000


def goodbyes_in(recorded, node, since, until):
    """Return, for each socket that a node closed in that time, the goodbye that it was sent, or None."""
    ended = [
        life
        for viewer in recorded.viewers.values()
        for life in viewer.sockets
        if life.server == node.name and life.frames and since <= life.closed <= until
    ]
    last_words = [recorded.contents[life.frames[-1][1]] for life in ended]
    return [frame if frame["type"] == "goodbye" and frame["code"] == 4000 else None for frame in last_words]


async def test_rolling_restarts_lose_nothing(scale, seed, furnish, start_cluster, own_redis, history, conclude):
    url, house = furnish(tenants=2, viewers=scale.of(short=20, long=60))
    kinds = scale.of(short=("daphne", "uvicorn"), long=("daphne", "uvicorn", "uvicorn"))
    cluster = start_cluster(*kinds, DATABASE_URL=url, REDIS_URL=own_redis.url)
    restarts, per_second = scale.of(short=(2, 15), long=(10, 50))
    stops = []

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        since = time.monotonic()
        async with experiment.creating(per_second=per_second):
            for turn in range(restarts):
                await experiment.crowd.until_live()
                node = cluster.nodes[turn % len(cluster.nodes)]
                began = time.monotonic()
                code = await cluster.stop(node)
                stops.append((node, code, began, time.monotonic()))
                await cluster.bring_back(node)
        rate = experiment.creations.asked / (time.monotonic() - since)
        verdict = await experiment.verdict()

    recorded = recorded_in(history.path)
    goodbyes = [goodbyes_in(recorded, node, began, ended) for node, _, began, ended in stops]
    hints = [frame["retry_after_ms"] for of_one in goodbyes for frame in of_one if frame is not None]
    without = sum(of_one.count(None) for of_one in goodbyes)
    slowest = max(ended - began for _, _, began, ended in stops)
    is_spread = max(hints) - min(hints) > SPREAD_MS / 4 and max(hints) <= SPREAD_MS
    assert [code for _, code, _, _ in stops] == [0] * restarts
    assert not cluster.complaints()
    conclude(
        "SIGTERM: rolling restarts",
        done=f"{restarts} restarts during {verdict.asked} creations, asked for at {per_second} a second and"
        f" made at {rate:.0f}",
        bound="0 lost; every creation answered; every socket told when to come back; exit within 15 s",
        measured=verdict.measured()
        | {"closed without goodbye": without, "goodbyes": len(hints), "slowest exit": f"{slowest:.1f} s"},
        holds=verdict.is_clean
        and verdict.creations["ok"] == verdict.asked
        and not without
        and is_spread
        and slowest <= MOST_EXIT_SECONDS,
    )
