"""PostgreSQL ends at once, loses all its connections, stands still, has no place left: nothing is lost or leaked."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from tests.databases import Databases
from tests.faults.creations import API
from tests.faults.decided import Outage, decided_in, slowest_refusals, without_effect
from tests.faults.experiment import Experiment
from tests.faults.history import lines_of
from tests.services.postgres import SUPERUSER, PostgresServer

PER_SECOND = 8
PLACES = 70
BLIND_SECONDS = 60
"""So long sockets stay without a database, as docs/protocol.md says; realtime/hub.py has the number."""
MOST_SECONDS_TO_MEND = 15
MOST_SECONDS_TO_ANSWER = 35
"""Ten for a place in the pool, ten for a connection that is asked whether it lives, ten for the answer; and some."""
MOST_SECONDS_TO_REFUSE = 10
"""Until a creation that is asked for while PostgreSQL is away is answered with 503, as docs/guarantees.md says."""
MOST_SECONDS_IN_THE_MIDST = 20
"""The same if PostgreSQL goes while it is under way."""
SLACK_SECONDS = 1
"""What the machine may add to that."""
OF_USHER = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'usher'"


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the experiment may break."""
    server = PostgresServer(max_connections=str(PLACES))
    yield server
    server.stop()


@pytest.fixture
def databases(postgres, tmp_path, django_db_blocker) -> Databases:
    """Databases on that server, in place of those that all tests share."""
    return Databases(tmp_path, unblocked=django_db_blocker.unblock, postgres=postgres)


class Faults:
    """What can happen to PostgreSQL, and how it is mended."""

    def __init__(self, postgres: PostgresServer) -> None:
        self._postgres = postgres
        self._taken: list[psycopg.Connection] = []
        self.terminated: list[int] = []
        """How many connections each ``terminate`` has ended."""

    def crash(self) -> None:
        self._postgres.crash()

    def mend_crash(self) -> None:
        self._postgres.start()

    def terminate(self) -> None:
        with psycopg.connect(self._postgres.url_of(SUPERUSER), autocommit=True) as connection:
            self.terminated.append(connection.execute(OF_USHER).rowcount)

    def mend_terminate(self) -> None:
        pass

    def freeze(self) -> None:
        self._postgres.freeze()

    def mend_freeze(self) -> None:
        self._postgres.thaw()

    def exhaust(self) -> None:
        """Take all places that are free, then those of Usher's, which tries to have them back, until all are taken."""
        self._take_all()
        while len(self._taken) < PLACES:
            self._taken[0].execute(OF_USHER)
            self._take_all()

    def mend_exhaust(self) -> None:
        for connection in self._taken:
            connection.close()
        self._taken.clear()

    def _take_all(self) -> None:
        while True:
            try:
                self._taken.append(psycopg.connect(self._postgres.url_of(SUPERUSER), autocommit=True))
            except psycopg.OperationalError:
                return


@dataclass
class Readings:
    """What those were answered who asked for the list of users on each server, time and again, through an outage."""

    refused: int = 0
    slowest: float = 0.0
    mended: float = 0.0
    """Seconds from the mending until each server had answered well."""

    async def read(self, address: str, token: str) -> bool:
        """Ask once; tell whether the list came."""
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=70, trust_env=False, verify=False) as client:
            answer = await client.get(f"{address}{API}/users", headers={"Authorization": f"Bearer {token}"})
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code == httpx.codes.OK:
            return True
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        assert answer.headers["Retry-After"], "it says when to come back"
        assert answer.headers["Content-Type"] == "application/problem+json"
        self.refused += 1
        return False

    async def until_well(self, address: str, token: str, mended: asyncio.Event) -> None:
        """Ask until all is mended and the list has come once more."""
        while not (await self.read(address, token) and mended.is_set()):  # noqa: ASYNC110  each turn asks a server
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_postgresql_fails_in_every_way(
    scale, seed, furnish, start_cluster, own_redis, history, conclude, postgres
):
    url, house = furnish(tenants=2, viewers=scale.of(short=12, long=60))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    faults, names = Faults(postgres), ["crash", "terminate", "freeze", "exhaust"]
    rounds, seconds = scale.of(short=(1, 2.0), long=(2, 12.0))
    readings = Readings()
    outages: list[Outage] = []

    async def broken(name: str, seconds: float) -> None:
        token, mended = next(iter(experiment.creations._owners.values())), asyncio.Event()
        with history.fault(name):
            asked = time.monotonic()
            await asyncio.to_thread(getattr(faults, name))
            complete = time.monotonic()
            async with asyncio.TaskGroup() as reading:
                for node in cluster.nodes:
                    reading.create_task(readings.until_well(node.front, token, mended))
                await asyncio.sleep(seconds)
                outages.append(Outage(name, asked, complete, time.monotonic()))
                await asyncio.to_thread(getattr(faults, f"mend_{name}"))
                mended.set()
                began = time.monotonic()
        readings.mended = max(readings.mended, time.monotonic() - began)

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        order = [name for _ in range(rounds) for name in experiment.random.sample(names, len(names))]
        async with experiment.creating(per_second=PER_SECOND):
            for name in order:
                # One outage at a time: whoever met two would be refused after the time of both.
                await experiment.creations.until_answered()
                await asyncio.sleep(1)
                await broken(name, seconds)
        stayed = time.monotonic()
        if scale.is_long:
            await broken("freeze", BLIND_SECONDS + 15)
            await experiment.crowd.until_live()
        left = time.monotonic()
        verdict = await experiment.verdict()

    creations = decided_in(history.path)
    harmless = without_effect(outages[: len(order)], creations, faults.terminated)
    in_the_midst, asked_later = slowest_refusals(outages, creations)
    ended = [line for line in lines_of(history.path) if line["kind"] == "closed" and line["t"] < left]
    turned_away = [line for line in ended if "HTTP 503" in line["reason"]]
    closed = [line for line in ended if line not in turned_away]
    refused = Counter(creation.status for creation in creations if creation.phase == "fail")
    early = [line for line in closed if line["t"] < stayed]
    said = [node.server.process.output().count("the log cannot be read") for node in cluster.nodes]
    assert not cluster.complaints()
    measured = verdict.measured() | {
        "outages without effect": harmless,
        "connections ended": faults.terminated,
        "slowest 503": f"{asked_later:.1f} s, in the midst {in_the_midst:.1f} s",
        "other refusals than 503": sum(refused.values()) - refused[503],
        "sockets closed in the short outages": len(early),
        "codes after 60 s": dict(Counter(line["code"] for line in closed if line not in early)),
        "handshakes refused": len(turned_away),
        "reads refused": readings.refused,
        "slowest answer": f"{readings.slowest:.1f} s",
        "slowest to mend": f"{readings.mended:.1f} s",
        "lines in the logs": said,
    }
    conclude(
        "PostgreSQL stopped, cut off, frozen, full",
        done=f"{len(order)} outages of {seconds:g} s, {'and one of 75 s, ' if scale.is_long else ''}"
        f"during {verdict.asked} creations, 2 servers",
        bound="0 lost, leaked; creations get 503 with Retry-After within 10 s, or 20 if they were under way; "
        "sockets stay 60 s, then 4001; then all goes on",
        measured=measured,
        holds=verdict.is_clean
        and not verdict.incomplete
        and not early
        and all(line["code"] == 4001 for line in closed)
        and set(refused) <= {503}
        and all(creation.retry_after for creation in creations if creation.phase == "fail")
        and not verdict.creations["unknown"]
        and not harmless
        and all(lines <= len(order) + 1 for lines in said)
        and (not scale.is_long or (bool(closed and readings.refused) and is_soon_enough(readings)))
        and (not scale.is_long or in_the_midst <= MOST_SECONDS_IN_THE_MIDST + SLACK_SECONDS)
        and (not scale.is_long or asked_later <= MOST_SECONDS_TO_REFUSE + SLACK_SECONDS),
    )


def is_soon_enough(readings: Readings) -> bool:
    return readings.slowest < MOST_SECONDS_TO_ANSWER and readings.mended < MOST_SECONDS_TO_MEND
