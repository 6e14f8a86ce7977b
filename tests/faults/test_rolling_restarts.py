"""
SIGTERM under load: goodbye to everybody, an answer to all that was begun, and nothing lost over ten restarts.

Fifty creations a second are nearly all that two cores can do, servers, PostgreSQL and clients together: one by staff
takes some 45 ms of a core before anybody hears of it, a sign-up half of that, and each server that tells of it some
more. So there are two servers here, most users sign up, and a restart begins when the one before is made up for.
"""

import asyncio
import time

from tests.faults.experiment import Experiment
from tests.faults.reading import recorded_in

MOST_EXIT_SECONDS = 15
SPREAD_MS = 5000
LEAST_PER_SECOND = 45
SIGN_UPS_IN_TEN = 9


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
    url, house = furnish(tenants=2, viewers=20)
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    restarts, per_second, apart_seconds = scale.of(short=(2, 15, 0), long=(10, 50, 14))
    stops = []

    async with Experiment(
        cluster, house, history, database_url=url, seed=seed, sign_ups_in_ten=SIGN_UPS_IN_TEN
    ) as experiment:
        since = time.monotonic()
        async with experiment.creating(per_second=per_second):
            for turn in range(restarts):
                await asyncio.sleep(max(0.0, since + turn * apart_seconds - time.monotonic()))
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
    unanswered = [(made.server, made.why) for made in recorded.creations if made.phase != "ok"]
    is_spread = max(hints) - min(hints) > SPREAD_MS / 4 and max(hints) <= SPREAD_MS
    assert [code for _, code, _, _ in stops] == [0] * restarts
    assert not cluster.complaints()
    conclude(
        "SIGTERM: rolling restarts",
        done=f"{restarts} restarts during {verdict.asked} creations, asked for at {per_second} a second and"
        f" made at {rate:.0f}, {SIGN_UPS_IN_TEN} of 10 by signing up; 2 servers, 20 viewers",
        bound="0 lost; every creation answered; every socket told when to come back; exit within 15 s"
        + scale.of(short="", long=f"; made at {LEAST_PER_SECOND} a second at least"),
        measured=verdict.measured()
        | {"closed without goodbye": without, "goodbyes": len(hints), "slowest exit": f"{slowest:.1f} s"}
        | ({"not answered": unanswered} if unanswered else {}),
        holds=verdict.is_clean
        and not verdict.incomplete
        and verdict.creations["ok"] == verdict.asked
        and not without
        and is_spread
        and slowest <= MOST_EXIT_SECONDS
        and rate >= scale.of(short=0, long=LEAST_PER_SECOND),
    )
