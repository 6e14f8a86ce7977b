"""What the stories share: servers, one for each combination, and a story on it for each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import Databases, Vendor
from tests.services.redis import RedisServer
from tests.stories.people import Login, Story
from tests.stories.servers import COMBINATIONS, TYPICAL, Server, ServerName, load_demo, measured

StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the servers write."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def demo_database(databases: Databases, logs: Path) -> Callable[[Vendor], str]:
    """Make databases with the demo's people in them: ``demo_database(vendor)`` returns the URL of a new one."""
    templates: dict[Vendor, str] = {}

    def make(vendor: Vendor) -> str:
        if vendor not in templates:
            url = databases.create(vendor)
            load_demo(url, folder=logs)
            templates[vendor] = url
        return databases.copy(templates[vendor])

    return make


@pytest.fixture(scope="session", params=COMBINATIONS, ids=str)
def server(
    request: pytest.FixtureRequest, demo_database: Callable[[Vendor], str], redis: RedisServer, logs: Path
) -> Iterator[Server]:
    """A server of each combination, which many stories share."""
    combination = request.param
    variables = {"DATABASE_URL": demo_database(combination.vendor)} | (measured() if combination in TYPICAL else {})
    if combination.layer != "memory":
        # Stories of one server at a time share this Redis; what it carries are hints, and each checks the database.
        variables |= {"REDIS_URL": redis.url, "USHER_CHANNEL_LAYER": combination.layer}
    with Server(combination.name, folder=logs, variables=variables) as server:
        yield server


@pytest.fixture(scope="session")
def logins(server: Server) -> dict[str, tuple[float, Login]]:
    """Logins on the server that stories may share."""
    return {}


@pytest.fixture
async def story(server: Server, logins: dict[str, tuple[float, Login]]) -> AsyncIterator[Story]:
    """A story on a server. It fails if the server had to write a traceback."""
    story = Story(server, logins)
    yield story
    await story.end()
    complaints = server.complaints()
    assert not complaints, f"the server complained:\n{complaints}"


@pytest.fixture
def start(logs: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of a story's own: ``start("daphne", DATABASE_URL=…)``; they end with it."""
    with ExitStack() as servers:

        def start(name: ServerName, **variables: str) -> Server:
            return servers.enter_context(Server(name, folder=logs, variables=variables))

        yield start


@pytest.fixture
async def stories_on(start: StartServer) -> AsyncIterator[Callable[..., list[Story]]]:
    """Tell a story on servers of its own: ``stories_on("daphne", "uvicorn", DATABASE_URL=…)`` has one for each."""
    stories: list[Story] = []

    def tell(*names: ServerName, **variables: str) -> list[Story]:
        begun = [Story(start(name, **variables), {}) for name in names]
        stories.extend(begun)
        return begun

    yield tell
    for story in stories:
        await story.end()
