"""A database that does not answer: what errors say so, and how often the log repeats it."""

import logging
import threading
import time

from django.db import Error, InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

QUIET_SECONDS = 10.0
"""One line in so long, however many requests fail: a log that grows with an outage would be the next one."""
# The connection sat idle in a transaction for too long and was ended, or the server has become a standby:
# https://www.postgresql.org/docs/current/errcodes-appendix.html. psycopg counts both as internal.
ENDED_BY_SERVER = {"25P03", "25006"}


def is_outage(error: Exception) -> bool:
    """Tell whether an error means that the database cannot be asked now, and not that it was asked wrongly."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) in ENDED_BY_SERVER
    return isinstance(error, OperationalError | InterfaceError)


class Complaint:
    """What the log of this process says of requests that the database did not answer: little, and often enough."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._quiet_until = 0.0
        self._unsaid = 0

    def about(self, error: Error) -> None:
        """Say that the database did not answer, unless that was said a moment ago."""
        with self._guard:
            now = time.monotonic()
            if now < self._quiet_until:
                self._unsaid += 1
                return
            self._quiet_until = now + QUIET_SECONDS
            unsaid, self._unsaid = self._unsaid, 0
        # Its first line: the others may hold statements, and with them what people have entered.
        reason = str(error).partition("\n")[0]
        logger.error("the database did not answer a request (%s), nor %d since this was last said", reason, unsaid)
