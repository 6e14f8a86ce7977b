"""Lines that are slow, narrow, cut into pieces, broken or dead: between clients, servers, Redis and PostgreSQL."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

import pytest

from tests.faults.cluster import Cluster
from tests.faults.experiment import Experiment
from tests.faults.history import lines_of
from tests.faults.proxy import BLACK_HOLE, GOOD, Line, Proxy
from tests.faults.verdict import Verdict

PER_SECOND = 6
MOST_GAP_SECONDS = 3
HEARTBEAT = {"USHER_HEARTBEAT_SECONDS": "2", "USHER_PONG_SECONDS": "2"}
SECONDS_TO_NOTICE = 5.5
"""A ping is at most a fifth late, and its answer has two seconds; and some."""
SECONDS_TO_COME_BACK = 10
"""For whoever was dropped behind a black hole, once it is none: he learns of it then, and opens another socket."""
RESET = Line()
"""A line that breaks, and is good again."""
SLOW, NARROW, SLICED = Line(0.15, 0.1), Line(bytes_per_second=40_000, slice_bytes=1000), Line(slice_bytes=3)


@dataclass(frozen=True)
class Fault:
    """What happens to which line. ``seconds``: for how long at least."""

    place: str
    name: str
    line: Line
    seconds: float = 0.0


FAULTS = [
    *(
        Fault("Redis", name, line)
        for name, line in (
            ("slow", SLOW),
            ("narrow", NARROW),
            ("sliced", SLICED),
            ("black hole", BLACK_HOLE),
            ("reset", RESET),
        )
    ),
    # A creation is some twenty questions, one after the other, with the log locked for the last of them.
    Fault("PostgreSQL", "slow", Line(0.003, 0.002)),
    Fault("PostgreSQL", "sliced", Line(slice_bytes=32)),
    Fault("PostgreSQL", "black hole", BLACK_HOLE),
    Fault("PostgreSQL", "reset", RESET),
    Fault("clients", "slow", SLOW),
    Fault("clients", "narrow", NARROW),
    Fault("clients", "sliced", SLICED),
    Fault("clients", "black hole", BLACK_HOLE, SECONDS_TO_NOTICE),
    Fault("clients", "reset", RESET),
]


def break_line(proxy: Proxy, line: Line) -> int:
    """Break it, and return how many connections it was broken for."""
    if line is RESET:
        return proxy.reset()
    proxy.set(line)
    return proxy.open_connections


def opened(experiment: Experiment) -> int:
    """Return how many sockets all viewers have opened so far."""
    return sum(viewer.sockets for viewer in experiment.crowd.viewers)


def gaps_within(times: Sequence[tuple[float, float]], verdict: Verdict) -> list[list[float]]:
    """Return the delivery gaps after the creations that were answered within each of these times."""
    return [[gap for at, gap in verdict.gaps if begin <= at <= end] for begin, end in times]


@pytest.mark.timeout(600)
async def test_lines_fail_in_every_way(scale, seed, furnish, databases, own_redis, history, tmp_path, conclude):
    url, house = furnish(tenants=2, viewers=scale.of(short=12, long=80))
    seconds, rounds = scale.of(short=(0.5, 1), long=(5, 2))
    with ExitStack() as stack:
        to_redis = stack.enter_context(Proxy(("127.0.0.1", own_redis.port), seed=seed))
        to_postgres = stack.enter_context(Proxy(databases.postgres.socket, seed=seed))
        variables = HEARTBEAT | {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_postgres.port}{urlsplit(url).path}",
            "REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
        }
        cluster = Cluster(["daphne", "uvicorn"], history=history, folder=tmp_path, variables=variables)
        fronts = {}
        for node in cluster.nodes:
            fronts[node.name] = stack.enter_context(Proxy(("127.0.0.1", node.port), seed=seed))
            node.front = f"http://127.0.0.1:{fronts[node.name].port}"
        stack.enter_context(cluster)
        without_redis: list[tuple[float, float]] = []
        black_holes: list[tuple[float, float]] = []
        """Of clients: from the beginning until all were back."""
        idle: list[str] = []
        """Faults on lines that nobody used."""

        async def broken(fault: Fault) -> None:
            node = experiment.random.choice(cluster.nodes)
            proxy = {"Redis": to_redis, "PostgreSQL": to_postgres, "clients": fronts[node.name]}[fault.place]
            struck = {"Redis": [], "PostgreSQL": cluster.nodes, "clients": [node]}[fault.place]
            with ExitStack() as noted:
                for server in struck:
                    noted.enter_context(history.fault(f"{fault.place} {fault.name}", server=server.name))
                began = time.monotonic()
                if not await asyncio.to_thread(break_line, proxy, fault.line):
                    idle.append(f"{fault.place} {fault.name}")
                asked, sockets = experiment.creations.asked, opened(experiment)
                await asyncio.sleep(max(fault.seconds, seconds))
                await experiment.creations.until_asked(asked + 1)
                await asyncio.to_thread(proxy.set, GOOD)
                if fault.place == "Redis":
                    without_redis.append((began, time.monotonic()))
                if fault.place == "clients" and fault.line is BLACK_HOLE:
                    await experiment.crowd.until(lambda: opened(experiment) > sockets, SECONDS_TO_COME_BACK)
                # Whoever was cut off is back, and has been sent what it missed.
                await experiment.crowd.until_live()
                if fault.place == "clients" and fault.line is BLACK_HOLE:
                    black_holes.append((began, time.monotonic()))
                if fault.place == "Redis" and scale.is_long:
                    await asyncio.sleep(MOST_GAP_SECONDS)  # else the next fault's gap were taken for this one's

        async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
            order = [f for _ in range(rounds) for f in experiment.random.sample(FAULTS, len(FAULTS))]
            async with experiment.creating(per_second=PER_SECOND):
                for fault in order:
                    await broken(fault)
            left = time.monotonic()
            verdict = await experiment.verdict()

    closed = [line for line in lines_of(history.path) if line["kind"] == "closed" and line["t"] < left]
    dropped = [sum(line["code"] == 4003 and begin <= line["t"] <= end for line in closed) for begin, end in black_holes]
    gaps = gaps_within(without_redis, verdict)
    gap = max(chain.from_iterable(gaps), default=0.0)
    assert not cluster.complaints()
    conclude(
        "Lines that fail",
        done=f"{len(order)} faults of {seconds:g} s and more, between all parts, during {verdict.asked} creations, "
        "2 servers",
        bound="0 lost, leaked; creations answered and delivered within 3 s while Redis' line fails; "
        "half-open clients are dropped with 4003",
        measured=verdict.measured()
        | {
            "worst gap without Redis": f"{gap:.2f} s",
            "faults on idle lines": idle,
            "dropped with 4003, for each black hole": dropped,
            "closed": dict(Counter(line["code"] for line in closed)),
        },
        holds=verdict.is_clean
        and not verdict.incomplete
        and not verdict.creations["unexcused"]
        and not idle
        and all(dropped)
        and (not scale.is_long or (all(gaps) and gap <= MOST_GAP_SECONDS)),
    )
