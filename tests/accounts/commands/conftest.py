"""What the tests of the commands share."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases
from tests.demo import DemoServer


@pytest.fixture(scope="session")
def shared_demo(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A demo for tests that leave it running."""
    server = DemoServer(tmp_path_factory.mktemp("demo"), databases.create("sqlite"))
    yield server
    server.stop()
