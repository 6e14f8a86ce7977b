"""
What the experiments share: how big they are, their seed, servers and people, and the report of what they have measured.

An experiment starts a cluster of real servers (cluster.py) on a database with people in it (house.py), lets viewers
watch (crowd.py) and users be created (creations.py), breaks something meanwhile, and has everything that was seen
(history.py) held against the database (truth.py) by the judge (judge.py). experiment.py puts these together:

    async def test_a_fault(scale, seed, furnish, start_cluster, own_redis, history, conclude):
        url, house = furnish(tenants=2, viewers=scale.of(short=30, long=500))
        cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
        async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
            …
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.faults import house
from tests.faults.cluster import Cluster
from tests.faults.history import History
from tests.faults.report import Conclude, Report, concluding, report_asked_for
from tests.faults.scale import Scale, scale_asked_for, seed_asked_for
from tests.services.redis import RedisServer
from tests.stories.servers import ServerName

HERE = Path(__file__).parent
Furnish = Callable[..., tuple[str, house.House]]
StartCluster = Callable[..., Cluster]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give experiments time on a busy machine: what they measure is in their verdict, not in how long they take."""
    seconds = scale_asked_for().of(short=300, long=1800)
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(autouse=True)
def _quiet_clients(caplog: pytest.LogCaptureFixture) -> None:
    """Keep no line about each request of thousands: the history has them."""
    for name in ("httpx", "websockets"):
        caplog.set_level(logging.WARNING, logger=name)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """The history of this experiment."""
    with History(tmp_path / "history.jsonl") as history:
        yield history


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the experiment may break."""
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture
def furnish(databases: Databases) -> Furnish:
    """Make a PostgreSQL database with people in it: ``furnish(tenants=2, viewers=30)`` returns its URL and them."""

    def furnish(**sizes: int) -> tuple[str, house.House]:
        url = databases.create("postgresql")
        return url, house.furnish(databases, url, **sizes)

    return furnish


@pytest.fixture
def start_cluster(tmp_path: Path, history: History, own_redis: RedisServer) -> Iterator[StartCluster]:
    """
    Start servers, as many as are named: ``start_cluster("daphne", "uvicorn", DATABASE_URL=…)``.

    They end before ``own_redis`` does: to leave groups of a Redis that is gone takes seconds.
    """
    with ExitStack() as clusters:

        def start(*kinds: ServerName, **variables: str) -> Cluster:
            cluster = Cluster(kinds, history=history, folder=tmp_path, variables=variables)
            return clusters.enter_context(cluster)

        yield start


@pytest.fixture(scope="session")
def scale() -> Scale:
    """Short or long: ``scale.of(short=200, long=10_000)``."""
    return scale_asked_for()


@pytest.fixture
def seed() -> int:
    """The seed of this experiment. Printed, and so part of what a failure shows."""
    seed = seed_asked_for()
    print(f"seed: {seed}")
    return seed


@pytest.fixture(scope="session")
def report() -> Report:
    """What this run has measured."""
    return report_asked_for()


@pytest.fixture
def conclude(request: pytest.FixtureRequest, report: Report, seed: int) -> Iterator[Conclude]:
    """
    Note what an experiment has measured, and fail if its bound does not hold.

    ``conclude("kill -9 of servers", done="30 kills during 10,000 creations", bound="0 lost", measured={"lost": 0},
    holds=lost == 0)``. It comes last in a test, since what follows a bound that is broken would not be measured. An
    experiment that ends without it stands in the report as one that broke its bound.
    """
    with concluding(report, name=request.node.name, seed=seed) as conclude:
        yield conclude
