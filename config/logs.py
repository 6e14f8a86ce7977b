"""What is written to the log, and what never is: query strings, headers, tokens."""

import logging
from typing import Any

from realtime.handshake import LOOKS_LIKE_TOKEN

IN_PLACE_OF_ONE = "[token]"


class WithoutTokens(logging.Formatter):
    """
    Write records without whatever looks like a token: in a path that somebody asked for, in an error's words.

    Not a filter, which sees a record before its traceback is written.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's text, its traceback included."""
        return LOOKS_LIKE_TOKEN.sub(IN_PLACE_OF_ONE, super().format(record))


class News(logging.Filter):
    """Keeps out what asyncio says of a task that channels-redis' core layer starts, and forgets, when Redis fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is news. That Redis fails realtime says itself, in a line."""
        return "_clean_receive_backup()" not in record.getMessage()


def logging_of(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: one plain line to standard error for each record from ``level`` on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"()": WithoutTokens, "fmt": "{asctime} {levelname} {name}: {message}", "style": "{"}},
        "filters": {"news": {"()": News}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail administrators and write a second line; below INFO it logs statements
            # with the values in them.
            "django": {"handlers": [], "level": "INFO" if level == "DEBUG" else level, "propagate": True},
            # Whoever sends another Host header is told 400; anybody can fill a log with tracebacks otherwise.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # It writes a traceback every second while Redis is away. realtime says so in a line, and goes on.
            "channels_redis": {"level": "CRITICAL"},
            # It warns of each attempt to connect while PostgreSQL is away. realtime and accounts say so in a line each.
            "psycopg.pool": {"level": "ERROR"},
            "asyncio": {"filters": ["news"]},
        },
    }
