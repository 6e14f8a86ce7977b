"""Serve HTTP and sockets, with daphne or uvicorn."""

import fcntl
import resource
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from accounts import demo
from realtime.draining import drain
from realtime.housekeeping import Housekeeper
from realtime.serving import daphne, uvicorn

SERVERS = {"daphne": daphne.run, "uvicorn": uvicorn.run}
PAGE_WITHOUT_ORIGIN = (
    "usher: USHER_ALLOWED_ORIGINS is empty; expected the origins from which people open the live page, such as "
    "https://usher.example.com. Without it they can sign in there, and every socket of the page is refused."
)


class Command(BaseCommand):
    """Serve until SIGTERM; then say goodbye to every socket, finish what is in flight, and end."""

    help = "Serve the API and the sockets on HOST and PORT."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; what they leave out comes from the environment."""
        parser.add_argument("--server", choices=sorted(SERVERS), default="daphne")
        parser.add_argument("--host", default=settings.USHER.host)
        parser.add_argument("--port", type=int, default=settings.USHER.port)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the server; the first line on standard output says where it listens."""
        if not settings.USHER.may_listen_on(options["host"]):
            raise CommandError(
                f"host is {options['host']!r}; expected a loopback address such as 127.0.0.1, because USHER_DEMO=1 "
                "serves people whose password is known to all: leave it out to serve others"
            )
        if settings.LIVE_PAGE is not None and not settings.USHER.allowed_origins:
            self.stderr.write(self.style.WARNING(PAGE_WITHOUT_ORIGIN))
        open_as_many_files_as_may_be()
        be_impatient()
        refuse_unmigrated()
        held = alone_or_refuse()
        housekeeper = Housekeeper(every_seconds=settings.USHER.housekeeping_seconds)
        try:
            housekeeper.start()
            SERVERS[options["server"]](
                application=import_string(settings.ASGI_APPLICATION),
                host=options["host"],
                port=options["port"],
                drain=drain,
                on_listening=announce,
            )
        except OSError as error:
            raise CommandError(
                f"cannot listen on {options['host']}:{options['port']} ({error.strerror or error}); "
                "choose another HOST or PORT, or end what listens there"
            ) from None
        finally:
            housekeeper.stop()
            if held is not None:
                held.close()


def open_as_many_files_as_may_be() -> None:
    """Raise this process's limit of open files to what the system allows it: each socket needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def announce(host: str, port: int) -> None:
    """Say where the server listens, and in the demo who is there and what to try."""
    print(f"usher: listening on http://{host}:{port}", flush=True)
    if settings.USHER.demo:
        print(demo.banner(host, port), flush=True)


def be_impatient() -> None:
    """Bound what this process waits for its database; before its first connection, since pools keep their options."""
    connections.settings[DEFAULT_DB_ALIAS]["OPTIONS"].update(settings.DATABASE_OPTIONS_OF_A_SERVER)


def refuse_unmigrated() -> None:
    """Refuse to serve a database that lacks migrations: every request would fail. One that is away may come back."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError as error:
        if connection.vendor == "sqlite":
            raise CommandError(f"the database cannot be opened ({error}); see DATABASE_URL") from None
        return
    finally:
        connection.close()
    if missing:
        raise CommandError(f"the database lacks {len(missing)} migrations; run manage.py migrate first")


def alone_or_refuse() -> IO[str] | None:
    """
    Make sure that no other server uses this SQLite database with the in-memory layer; return the lock that says so.

    That layer knows one process only: the sockets of a second would hear of nothing but by the sweep.
    """
    if settings.USHER.channel_layer != "memory":
        return None
    if connection.vendor != "sqlite":
        return None
    name = connection.settings_dict["NAME"]
    if name == ":memory:":
        return None
    lock = Path(f"{name}.serving").open("w")  # noqa: SIM115  held as long as we serve
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CommandError(
            "USHER_CHANNEL_LAYER is 'memory' and another server uses this database; the in-memory layer serves one "
            "process: set REDIS_URL for more, or end the other one"
        ) from None
    return lock
