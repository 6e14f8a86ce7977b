"""What the tests of the pages share."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases
from tests.demo import DemoServer


@pytest.fixture(scope="session")
def documented_demo(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A demo for what the pages show."""
    server = DemoServer(tmp_path_factory.mktemp("documented-demo"), databases.create("sqlite"))
    yield server
    server.stop()
