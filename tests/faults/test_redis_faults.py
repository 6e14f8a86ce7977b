"""
Redis freezes, refuses the password, is full: creations are answered all the same, and who watches misses nothing.

A bell that rings in one process needs no Redis, so during each outage one server alone is asked, and those who watch
the other one hear by its sweep. That no bell got through to it, the asked server's log says.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from statistics import median

import pytest
from redis import Redis

from tests.faults.cluster import Node
from tests.faults.experiment import Experiment
from tests.faults.history import Line, lines_of
from tests.services.redis import RedisServer

PER_SECOND = 15
MOST_GAP_SECONDS = 3
SECONDS_TO_SAY_SO = 30
"""For a creation and the attempt to publish its bell, on a machine that is busy."""
FAILING, WELL_AGAIN = "bells are not getting through", "bells are getting through again"


@contextmanager
def frozen(redis: RedisServer) -> Iterator[None]:
    redis.process.send(signal.SIGSTOP)
    yield
    redis.process.send(signal.SIGCONT)


@contextmanager
def password(redis: RedisServer) -> Iterator[None]:
    with Redis.from_url(redis.url) as client:
        client.config_set("requirepass", "open-sesame")
        _end_others(client)
        yield
        client.config_set("requirepass", "")


@contextmanager
def without_memory(redis: RedisServer) -> Iterator[None]:
    with Redis.from_url(redis.url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")
        yield
        client.config_set("maxmemory", "0")


@contextmanager
def without_places(redis: RedisServer) -> Iterator[None]:
    with Redis.from_url(redis.url) as client:
        places = client.config_get("maxclients")["maxclients"]
        client.config_set("maxclients", "1")
        _end_others(client)
        yield
        client.config_set("maxclients", places)


def _end_others(client: Redis) -> None:
    # Whoever is connected has been let in already.
    client.client_kill_filter(_type="pubsub")
    client.client_kill_filter(_type="normal", skipme=True)


# To publish needs no memory, and Redis without any goes on with it: for the layer that does nothing else, no fault.
FAULTS = {"pubsub": (frozen, password, without_places), "core": (frozen, password, without_memory)}


def heard_elsewhere(lines: Iterable[Line]) -> list[list[float]]:
    """
    Return what those heard who watched the server that was not asked, for each outage.

    That is the seconds from each creation that was asked for during the outage to each of its frames there.
    """
    outages: list[list[float]] = []
    asked, sockets, users, node = {}, {}, {}, None
    for line in lines:
        match line:
            case {"kind": "fault", "phase": "begin"}:
                node = line["asked"]
                outages.append([])
            case {"kind": "fault", "phase": "end"}:
                node = None
            case {"kind": "create", "phase": "invoke"} if node is not None:
                asked[line["username"]] = line["t"], node, outages[-1]
            case {"kind": "opened"}:
                sockets[line["socket"]] = line["server"]
            case {"kind": "content"}:
                users[line["content"]] = line["frame"].get("data", {}).get("username")
            case {"kind": "frame"} if users[line["content"]] in asked:
                at, other, heard = asked[users[line["content"]]]
                if sockets[line["socket"]] != other:
                    heard.append(line["t"] - at)
    return outages


def said(node: Node, text: str) -> int:
    """Return how often a server's log says something."""
    assert node.server is not None
    return node.server.process.output().count(text)


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_redis_fails_in_every_way(scale, seed, furnish, start_cluster, own_redis, history, conclude, layer):
    url, house = furnish(tenants=2, viewers=scale.of(short=20, long=100))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url, USHER_CHANNEL_LAYER=layer)
    rounds, seconds = scale.of(short=(1, 2.5), long=(3, 5))
    without_effect: Counter[str] = Counter()

    async def broken(fault, node: Node) -> None:
        experiment.creations.node = node
        await asyncio.sleep(seconds)
        before = said(node, FAILING)
        with history.fault(f"Redis {fault.__name__}", asked=node.name), fault(own_redis):
            await experiment.crowd.until(lambda: said(node, FAILING) > before, SECONDS_TO_SAY_SO)
            without_effect[fault.__name__] += said(node, FAILING) == before
            await asyncio.sleep(seconds)
        # Else the next outage would not be said again.
        await experiment.crowd.until(lambda: said(node, WELL_AGAIN) == said(node, FAILING), SECONDS_TO_SAY_SO)
        without_effect["mending"] += said(node, WELL_AGAIN) != said(node, FAILING)

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        faults = experiment.random.sample(FAULTS[layer], len(FAULTS[layer])) * rounds
        async with experiment.creating(per_second=PER_SECOND):
            for turn, fault in enumerate(faults):
                await broken(fault, cluster.nodes[turn % 2])
            await asyncio.sleep(seconds)
        experiment.creations.node = None
        verdict = await experiment.verdict()

    elsewhere = heard_elsewhere(lines_of(history.path))
    assert not cluster.complaints()
    is_whole = verdict.is_clean and not verdict.creations["unexcused"] and not verdict.incomplete
    conclude(
        f"Redis frozen, refusing, full ({layer})",
        done=f"{len(faults)} outages of {seconds:g} s during {verdict.asked} creations, 2 servers: one is asked, and "
        "those who watch the other get no bell",
        bound="0 lost, leaked; all creations answered; delivery gap at most 3 s",
        measured=verdict.measured()
        | {
            "outages without effect": without_effect.total(),
            "heard at the other": sum(map(len, elsewhere)),
            "median from asking to hearing there": f"{median(chain.from_iterable(elsewhere)):.2f} s",
        },
        holds=is_whole
        and not without_effect.total()
        and all(elsewhere)
        and (verdict.worst_gap <= MOST_GAP_SECONDS or not scale.is_long),
    )
