"""What all systems of a run share: one PostgreSQL and one Redis, on the core that is not the servers'."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.processes import pinned_to
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer

PROJECT = Path(__file__).resolve().parent.parent
KEYS = {
    "USHER_SECRET_KEY": "this-key-signs-nothing-but-what-benchmarks-make",
    "USHER_JWT_KEY": "this-key-signs-no-token-but-those-of-benchmarks",
}
# Nothing of a developer's own settings is to be seen.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "HOST", "PORT", "DJANGO_SETTINGS_MODULE")


class House:
    """The services, started when the first system asks for them, and the databases made on them."""

    def __init__(self, core: int) -> None:
        self._core = core
        self._postgres: PostgresServer | None = None
        self._redis: RedisServer | None = None
        self._made: set[str] = set()

    @property
    def redis(self) -> RedisServer:
        """The Redis server."""
        if self._redis is None:
            with pinned_to(self._core):
                self._redis = RedisServer()
        return self._redis

    @property
    def postgres(self) -> PostgresServer:
        """The PostgreSQL server."""
        if self._postgres is None:
            with pinned_to(self._core):
                self._postgres = PostgresServer(shared_buffers="512MB")
        return self._postgres

    @property
    def pids(self) -> list[int]:
        """Those of both, as far as they run."""
        return [service.process.pid for service in (self._postgres, self._redis) if service is not None]

    def database(self, name: str) -> tuple[str, bool]:
        """Return the URL of a PostgreSQL database, and whether it has just been made."""
        if name in self._made:
            return self.postgres.url_of(name), False
        self._made.add(name)
        return self.postgres.create(name), True

    def migrated(self, settings: str) -> str:
        """Return the URL of a PostgreSQL database with the tables of these settings' apps."""
        url, is_new = self.database(settings.replace(".", "_"))
        if is_new:
            migrate(usher_environment(url, settings=settings), core=self._core)
        return url

    def stop(self) -> None:
        """End both."""
        for service in (self._postgres, self._redis):
            if service is not None:
                service.stop()
        self._postgres = self._redis = None


def usher_environment(database_url: str, *, settings: str, **variables: str) -> dict[str, str]:
    """Return the variables of a process of the product that sees nothing else, with limits that refuse nobody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("USHER_") and name not in FOREIGN}
    return (
        kept
        | KEYS
        | no_limits()
        | {
            "USHER_ENV_FILE": "",
            "USHER_LOG_LEVEL": "ERROR",
            "USHER_ACCESS_SECONDS": "3600",
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": settings,
            "PYTHONPATH": str(PROJECT),
        }
        | variables
    )


def no_limits() -> dict[str, str]:
    """Return, for every limit that the product has, a value that a benchmark does not meet."""
    from config.limits import MOST, Limits

    limits = {"USHER_SIGNUP_RATE": f"{MOST}/s"}
    for field in Limits.model_fields.values():
        if isinstance(field.default, int):
            limits[str(field.validation_alias)] = str(MOST)
        elif isinstance(field.default, str):
            limits[str(field.validation_alias)] = f"{MOST}/s"
    return limits | {"USHER_HASHINGS_AT_ONCE": "2"}


def migrate(environment: Mapping[str, str], *, core: int) -> None:
    """Give a database its tables."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    with pinned_to(core):
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)
