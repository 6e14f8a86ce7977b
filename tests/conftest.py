"""
What all tests share: an environment of their own, real services, and databases.

A test that needs Django's database asks for ``database``, by that name or in any of pytest-django's ways (``db``, its
mark), and gets one of its own, on SQLite. Marked ``each_database`` it runs on SQLite and on PostgreSQL:

    pytestmark = pytest.mark.each_database            # a whole module, or one test

``database.vendor`` and ``database.url`` say which one it is. Nothing is rolled back and no test runs inside a
transaction, so ``transaction=True`` makes no difference; tests/databases.py says why. A test that asks for none of
these, and queries, fails.
"""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, settings

from tests import environment

environment.set_up_django()

# These need the settings.
from tests import durations  # noqa: E402
from tests.databases import VENDORS, Database, Databases  # noqa: E402
from tests.services.redis import RedisServer  # noqa: E402

# What hypothesis finds must not depend on how busy the machine is.
settings.register_profile("usher", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("usher")


FIRST = ("tests/faults/", "tests/browser/", "tests/worlds/", "tests/stories/", "tests/clients/test_typescript.py")
"""Files whose tests take long: what is left for the end must be short, or one process would be waited for alone."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have what takes long begin first."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.addinivalue_line("markers", "each_database: run on SQLite and on PostgreSQL")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how long the experiments took. Here, since with several processes the one that tells loads no other file."""
    told = durations.told_of(terminalreporter.stats)
    if told:
        terminalreporter.write_line(told)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that is marked ``each_database`` once per kind of database."""
    if metafunc.definition.get_closest_marker("each_database"):
        if "database" not in metafunc.fixturenames:
            metafunc.fixturenames.append("database")
        metafunc.parametrize("database", VENDORS, indirect=True)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker) -> Iterator[Databases]:
    """All databases of this run, for tests that need several, or one for processes of their own."""
    databases = Databases(tmp_path_factory.mktemp("databases"), unblocked=django_db_blocker.unblock)
    yield databases
    databases.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    """A fresh database, which Django uses during this test."""
    with databases.fresh(getattr(request, "param", "sqlite")) as database:
        yield database


@pytest.fixture
def _django_db_helper(database: Database) -> None:
    """What pytest-django's own fixtures and mark rest on: with this, all of them mean the database above."""


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """The Redis server that tests share, each in its own words: see ``RedisServer`` for one to break."""
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def _quick() -> Iterator[None]:
    # Each of Django's test clients would look through all static files, where a server does so once, at its start.
    with override_settings(PASSWORD_HASHERS=["tests.hashing.QuickArgon2"], WHITENOISE_AUTOREFRESH=True):
        yield
