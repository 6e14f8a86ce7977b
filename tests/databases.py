"""
Databases for the tests: each a fresh copy of one that was migrated once, on SQLite and on PostgreSQL.

Copies keep what emptying tables would lose: what the migrations put into them, and triggers. (Django's own flush even
sets the triggers off.) They also let every test commit, as the product does: deferred triggers, ``on_commit`` and other
connections see nothing inside the transaction that Django's ``TestCase`` wraps around a test.
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from asgiref.local import Local
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import attempts
from accounts.api import throttles
from config.databases import database_of
from tests.services.postgres import PostgresServer

Vendor = Literal["sqlite", "postgresql"]
VENDORS: tuple[Vendor, ...] = ("sqlite", "postgresql")
TEMPLATE = "migrated"


@dataclass(frozen=True, slots=True)
class Database:
    """The database that Django uses just now."""

    vendor: Vendor
    url: str


class Databases:
    """Makes databases with all migrations applied. PostgreSQL is started when the first of its databases is made."""

    def __init__(
        self,
        folder: Path,
        *,
        unblocked: Callable[[], AbstractContextManager[None]],
        postgres: PostgresServer | None = None,
    ) -> None:
        self._folder = folder
        self._unblocked = unblocked
        self._numbers = count(1)
        self._templates: set[Vendor] = set()
        self._postgres = postgres

    @contextmanager
    def fresh(self, vendor: Vendor) -> Iterator[Database]:
        """Have Django use a database of its own while the body runs."""
        url = self.create(vendor)
        try:
            with self.using(url):
                yield Database(vendor, url)
        finally:
            self.drop(url)

    @contextmanager
    def using(self, url: str) -> Iterator[None]:
        """Have Django use the database at ``url``, of whichever server, while the body runs."""
        with self._unblocked(), django_uses(url):
            yield

    @property
    def postgres(self) -> PostgresServer:
        """The PostgreSQL server."""
        if self._postgres is None:
            self._postgres = PostgresServer()
        return self._postgres

    def create(self, vendor: Vendor) -> str:
        """Make a migrated database and return its URL."""
        if vendor not in self._templates:
            self._make_template(vendor)
            self._templates.add(vendor)
        return self._copy(vendor, TEMPLATE)

    def copy(self, url: str) -> str:
        """Make a database like the one at ``url``, which nobody uses just now, and return its URL."""
        return self._copy(_vendor_of(url), _name_of(url))

    def drop(self, url: str) -> None:
        """Drop a database."""
        name = _name_of(url)
        if _vendor_of(url) == "postgresql":
            self.postgres.drop(name)
            return
        for file in self._folder.glob(f"{name}.sqlite3*"):  # there are up to three files more beside it
            file.unlink()

    def stop(self) -> None:
        """End the PostgreSQL server, if it was started."""
        if self._postgres is not None:
            self._postgres.stop()

    def _make_template(self, vendor: Vendor) -> None:
        url = self.postgres.create(TEMPLATE) if vendor == "postgresql" else self._sqlite_url(TEMPLATE)
        try:
            # On a thread: whoever asks may be a coroutine's test, and Django's commands refuse to run inside a loop.
            with ThreadPoolExecutor(max_workers=1) as thread:
                thread.submit(self._migrate, url).result()
        except BaseException:
            self.drop(url)  # else the next test would copy half of it
            raise

    def _migrate(self, url: str) -> None:
        with self.using(url):
            call_command("migrate", verbosity=0)

    def _copy(self, vendor: Vendor, template: str) -> str:
        name = f"copy_{next(self._numbers)}"
        if vendor == "postgresql":
            return self.postgres.create(name, template=template)
        shutil.copy(self._file(template), self._file(name))
        return self._sqlite_url(name)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite3"

    def _sqlite_url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"


def _vendor_of(url: str) -> Vendor:
    return "sqlite" if url.startswith("sqlite:") else "postgresql"


def _name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2].removesuffix(".sqlite3")


@contextmanager
def django_uses(url: str) -> Iterator[None]:
    """
    Make Django's ``default`` the database at ``url``, with the product's own options, in all threads.

    Threads keep their connections, and thread pools keep their threads. So every connection that is made meanwhile, by
    whichever thread, is noted and closed at the end, and no thread finds an old one later.
    """
    made: list[BaseDatabaseWrapper] = []
    create = connections.create_connection

    def note(alias: str) -> BaseDatabaseWrapper:
        made.append(create(alias))
        return made[-1]

    handler: Any = connections
    before = handler.settings["default"], handler._connections
    configured = handler.configure_settings({"default": database_of(url, project=Path("/"))})
    handler.settings["default"], handler._connections = configured["default"], Local(handler.thread_critical)
    handler.create_connection = note
    _forget()
    try:
        yield
    finally:
        _forget()
        del handler.create_connection
        handler.settings["default"], handler._connections = before
        for connection in made:
            _close(connection)


def _forget() -> None:
    """Drop what this process remembers of a database beyond its connections: ids of content types, and throttles."""
    ContentType.objects.clear_cache()
    throttles.frequency.forget()
    attempts.frequency.forget()


def _close(connection: BaseDatabaseWrapper) -> None:
    connection.inc_thread_sharing()  # it may be another thread's, which is idle by now
    connection.close()
    close_pool = getattr(connection, "close_pool", None)
    if close_pool is not None:
        close_pool()
