"""The database that ``DATABASE_URL`` names, as Django wants it."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# IMMEDIATE takes the write lock at BEGIN: a transaction that reads first and writes later would otherwise fail with
# "database is locked" at once, whatever the time-out, as soon as two of them meet.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON",
}
IN_MEMORY = ":memory:"
# Requests at once have a thread each, as many as they are, and so would have a connection each: the pool bounds them.
# Its pause between attempts to reach a lost database doubles until it gives up; then the next request tries anew.
POOL: dict[str, Any] = {"min_size": 1, "max_size": 20, "timeout": 10, "reconnect_timeout": 5}
CONNECT_SECONDS = 5
# A connection whose other end has vanished is given up by the kernel: at once when it is asked for something, and when
# it is not. Its own defaults are a quarter of an hour, and two hours.
TCP: dict[str, Any] = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def database_of(url: str | None, *, project: Path) -> dict[str, Any]:
    """
    Return Django's settings for the database at ``url``, or for ``var/usher.sqlite3`` in ``project`` without one.

    ``sqlite:///var/usher.sqlite3`` is relative to ``project``, ``sqlite:////srv/usher.sqlite3`` is not. What follows
    the ``?`` of a PostgreSQL URL goes to libpq; a ``host`` there may be the folder of a Unix socket.
    """
    parts = urlsplit(url or "sqlite:///var/usher.sqlite3")
    if parts.scheme == "sqlite":
        name = unquote(parts.path.removeprefix("/"))
        return _settings("sqlite3", name if name == IN_MEMORY else str(project / name), dict(SQLITE_OPTIONS))
    libpq = dict(parse_qsl(parts.query))
    host = libpq.pop("host", None) or unquote(parts.hostname or "")
    port = libpq.pop("port", None) or str(parts.port or "")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    user, password = libpq.pop("user", user), libpq.pop("password", password)
    options = {"pool": dict(POOL), "connect_timeout": CONNECT_SECONDS, "application_name": "usher"} | TCP | libpq
    return _settings("postgresql", unquote(parts.path[1:]), options) | {
        "USER": user,
        "PASSWORD": password,
        "HOST": host,
        "PORT": port,
        # One trip for a request, unless its connection has just answered (config/impatience.py). Without it, after
        # a restart of the database, every connection that the pool still has would fail one request.
        "CONN_HEALTH_CHECKS": True,
    }


def _settings(engine: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": name,
        "OPTIONS": options,
        # The pool keeps connections; one kept by a thread between its requests would be lacking there.
        "CONN_MAX_AGE": 0,
        # A request is not a transaction: services open their own and keep the lock of the log as short as they can.
        "ATOMIC_REQUESTS": False,
    }
