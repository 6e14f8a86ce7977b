"""What the tests of the live page share: servers with the page on them, and people who look at it in browsers."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser.chromium import launch
from tests.browser.stage import Stage
from tests.databases import Vendor
from tests.services.processes import free_port
from tests.services.redis import RedisServer
from tests.stories.conftest import demo_database, logs  # noqa: F401  fixtures, which pytest finds by name
from tests.stories.servers import TYPICAL, Server, ServerName
from tools import build_page

Serve = Callable[..., Server]
StageOf = Callable[..., Stage]


@pytest.fixture(scope="session", autouse=True)
def built_page() -> None:
    """The page as the sources have it: what was built of others would prove nothing."""
    built = build_page.STAMP.read_text() if build_page.STAMP.exists() else None
    if built != build_page.digest_of_sources():
        pytest.fail("the live page is not built, or of older sources: make page")


@pytest.fixture(scope="session", params=TYPICAL, ids=str)
def server(
    request: pytest.FixtureRequest,
    demo_database: Callable[[Vendor], str],  # noqa: F811
    redis: RedisServer,
    logs: Path,  # noqa: F811
) -> Iterator[Server]:
    """A demo as ``make run`` starts it, and one as production has it; many tests share each."""
    combination = request.param
    variables = {"DATABASE_URL": demo_database(combination.vendor)}
    if combination.layer != "memory":
        variables |= {"REDIS_URL": redis.url, "USHER_CHANNEL_LAYER": combination.layer}
    with serving(combination.name, logs, variables) as server:
        yield server


@pytest.fixture
def serve(logs: Path, demo_database: Callable[[Vendor], str]) -> Iterator[Serve]:  # noqa: F811
    """Start servers of a test's own, on a demo of their own: ``serve("daphne", USHER_ACCESS_SECONDS="2")``."""
    with ExitStack() as servers:

        def serve(name: ServerName = "daphne", **variables: str) -> Server:
            given = {"DATABASE_URL": demo_database("sqlite")} | variables
            return servers.enter_context(serving(name, logs, given))

        yield serve


def serving(name: ServerName, folder: Path, variables: Mapping[str, str], *, listen_on: int | None = None) -> Server:
    """Start a server whose page's port, PORT, is known beforehand; with a line in between it listens on another."""
    port = int(variables.get("PORT", 0)) or free_port()
    return Server(name, folder=folder, port=listen_on or port, variables={**variables, "PORT": str(port)})


@pytest.fixture
async def stage_of() -> AsyncIterator[StageOf]:
    """Set a stage before a server of a test's own. At its end nothing may have been refused, thrown or warned of."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        stages: list[Stage] = []

        def stage_of(server: Server, *, at: str | None = None) -> Stage:
            stages.append(Stage(server, browser, at or server.address))
            return stages[-1]

        yield stage_of
        for stage in stages:
            await stage.end()
        await browser.close()
        faults = [fault for stage in stages for viewer in stage.viewers for fault in viewer.faults]
        assert faults == []


@pytest.fixture
def stage(server: Server, stage_of: StageOf) -> Stage:
    """A stage before a server that tests share."""
    return stage_of(server)
