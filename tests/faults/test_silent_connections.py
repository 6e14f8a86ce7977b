"""Connections that say nothing, or half of something: they keep nobody out, and are gone soon, descriptors and all."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.creations import API
from tests.faults.house import PASSWORD, House
from tests.faults.latency import quantile
from tests.faults.memory import descriptors
from tests.stories.hostile.wire import PATH, Wire, handshake_headers, request

SECONDS_OF_A_HANDSHAKE = 10
SECONDS_OF_A_TOKEN = 5
ALLOWANCE_SECONDS = 3
WITHIN_SECONDS = 1.0
SETTLING_SECONDS = 15
"""A server waits so long for the answer to its close frame, and a little."""
KEPT = 20
PER_PROCESS = 200
PER_SOURCE = 10
"""So many sockets without a token may wait from one address."""
HANDSHAKE = request(f"GET {PATH} HTTP/1.1", handshake_headers())


class Siege:
    """Connections of three kinds on one server."""

    def __init__(self, address: str, each: int) -> None:
        self._address = address
        self._began = time.monotonic()
        self._silent = [self._wire(number, b"") for number in range(each)]
        self._halves = [self._wire(number, HANDSHAKE[: -2 - number % 60]) for number in range(each)]
        self._waiting = [self._wire(number, HANDSHAKE) for number in range(each)]
        statuses = [wire.answer() for wire in self._waiting]
        self.accepted, self.refused = statuses.count("101"), statuses.count("429")
        self._accepted = [wire for wire, status in zip(self._waiting, statuses, strict=True) if status == "101"]
        self.ends: Counter[str] = Counter()

    def seconds_until_over(self) -> dict[str, float]:
        """Wait for the end of each, and return when the last of each kind had come, since the beginning of all."""
        seen = {}
        for kind, wires, end_of in (
            ("without a token", self._accepted, Wire.verdict),
            ("silent", self._silent, Wire.answer),
            ("half a head", self._halves, Wire.answer),
        ):
            self.ends.update(f"{kind}: {end_of(wire)}" for wire in wires)
            seen[kind] = time.monotonic() - self._began
        for wire in [*self._waiting, *self._silent, *self._halves]:
            wire.close()
        return seen

    def _wire(self, number: int, data: bytes) -> Wire:
        # All of 127.0.0.0/8 is this machine: one address would soon have all the waiting places that it may have.
        wire = Wire(self._address, source=f"127.0.1.{number // PER_SOURCE + 1}")
        wire.send(data)
        return wire


class Newcomers:
    """People who come in, one after the other, until it is enough."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._token = token
        self.is_enough = False

    def seconds_until_synced(self) -> list[float]:
        """Return how long each has waited for ``synced``."""
        seconds = []
        while not self.is_enough:
            began = time.monotonic()
            with Wire(self._address) as wire:
                assert wire.open(self._token) == "101"
            seconds.append(time.monotonic() - began)
            time.sleep(0.05)
        return seconds


@pytest.mark.timeout(600)
def test_silent_connections(scale, furnish, start_cluster, own_redis, conclude):
    each = scale.of(short=20, long=500)
    url, house = furnish(tenants=1, viewers=1)
    limits = {"USHER_WAITING_PER_PROCESS": str(PER_PROCESS), "USHER_WAITING_PER_ADDRESS": str(PER_SOURCE)}
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url, **limits)
    pids = [node.server.process.pid for node in cluster.nodes]
    with ThreadPoolExecutor() as threads:
        newcomers = [Newcomers(node.front, _token(node.front, house)) for node in cluster.nodes]
        before = [descriptors(pid) for pid in pids]
        coming = [threads.submit(people.seconds_until_synced) for people in newcomers]
        sieges = list(threads.map(lambda node: Siege(node.front, each), cluster.nodes))
        most = [descriptors(pid) for pid in pids]
        overs = list(threads.map(Siege.seconds_until_over, sieges))
        for people in newcomers:
            people.is_enough = True
        seconds = [took for people in coming for took in people.result()]
    deadline = time.monotonic() + SETTLING_SECONDS
    while (left := _left(pids, before)) and time.monotonic() < deadline:
        time.sleep(0.1)

    latest = {kind: max(over[kind] for over in overs) for kind in overs[0]}
    ends = sum((siege.ends for siege in sieges), Counter())
    is_over = set(ends) <= {"without a token: 4408", "silent: dropped", "half a head: dropped"} and not left
    is_bounded = all(siege.accepted + siege.refused == each and siege.accepted <= PER_PROCESS for siege in sieges)
    is_soon = latest["without a token"] <= SECONDS_OF_A_TOKEN + ALLOWANCE_SECONDS and all(
        latest[kind] <= SECONDS_OF_A_HANDSHAKE + ALLOWANCE_SECONDS for kind in ("silent", "half a head")
    )
    conclude(
        "Silent connections",
        done=f"{each} each of silent connections, half heads, and sockets without a token, on daphne and uvicorn",
        bound="ended after 10 s, 10 s and 5 s; at most 200 sockets wait, the others get 429; whoever has a token is "
        "synced within 1 s (p99); no descriptor is left",
        measured={
            "ends": dict(ends),
            "waiting, of each server": [siege.accepted for siege in sieges],
            "the last gone after": {kind: f"{took:.1f} s" for kind, took in latest.items()},
            "p99 of newcomers": f"{quantile(seconds, 0.99):.3f} s of {len(seconds)}",
            "descriptors at most": most,
            "left": left,
        },
        holds=is_over
        and is_bounded
        and not cluster.complaints()
        and (not scale.is_long or (is_soon and quantile(seconds, 0.99) <= WITHIN_SECONDS)),
    )


def _left(pids: list[int], before: list[int]) -> int:
    """Return how many descriptors more there are than before, but for the few that threads and pools may keep."""
    now = [descriptors(pid) for pid in pids]
    return max(0, max(most - least for most, least in zip(now, before, strict=True)) - KEPT)


def _token(address: str, house: House) -> str:
    seat = house.seats[0]
    body = {"tenant": seat.tenant, "username": seat.username, "password": PASSWORD}
    answer = httpx.post(f"{address}{API}/auth/token", json=body, trust_env=False, timeout=30)
    return str(answer.json()["access"])
