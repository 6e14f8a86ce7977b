"""What is written to the log, and what never is: query strings, headers, tokens."""

import logging
from http import HTTPStatus
from typing import Any

from realtime.handshake import LOOKS_LIKE_TOKEN
from realtime.identity import request_id

IN_PLACE_OF_ONE = "[token]"


class WithoutTokens(logging.Formatter):
    """
    Write records without whatever looks like a token: in a path that somebody asked for, in an error's words.

    Not a filter, which sees a record before its traceback is written. Behind what is said in the course of a request
    stands the id by which its answer can be found.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's text, its traceback included."""
        return LOOKS_LIKE_TOKEN.sub(IN_PLACE_OF_ONE, super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Return a record's first line."""
        # Django names the request with what it says after the last of the middleware.
        found = getattr(getattr(record, "request", None), "request_id", None) or request_id.get()
        line = super().formatMessage(record)
        return f"{line} (request_id {found})" if found else line


class Reasons(logging.Filter):
    """
    Keeps the tracebacks out of what Django says of answers that say themselves why, which are all but a 500.

    Anybody can send what is refused with 400, and a log full of tracebacks hides those that matter.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without its traceback where that is no news."""
        if getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR) != HTTPStatus.INTERNAL_SERVER_ERROR:
            record.exc_info = None
        return True


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
        "filters": {"news": {"()": News}, "reasons": {"()": Reasons}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail administrators and write a second line; below INFO it logs statements
            # with the values in them.
            "django": {"handlers": [], "level": "INFO" if level == "DEBUG" else level, "propagate": True},
            "django.request": {"filters": ["reasons"]},
            # Another Host header, too many fields, a filter that the admin does not have: whoever sends it is told 400,
            # and Django writes a traceback for each.
            "django.security": {"level": "CRITICAL"},
            # It writes a traceback every second while Redis is away. realtime says so in a line, and goes on.
            "channels_redis": {"level": "CRITICAL"},
            # It warns of each attempt to connect while PostgreSQL is away. realtime and accounts say so in a line each.
            "psycopg.pool": {"level": "ERROR"},
            "asyncio": {"filters": ["news"]},
        },
    }
