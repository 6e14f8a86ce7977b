"""What a server waits for PostgreSQL, and no longer: a database that hangs must not hang every request with it."""

import math
import select
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

ANSWER_SECONDS = 10.0
"""How long one statement may stay without any answer, as where the server is frozen or the network swallows it."""
STATEMENT_SECONDS = 8
"""How long PostgreSQL itself lets a server's statement run, waiting for locks included. It answers, so it is first."""
IDLE_SECONDS = 10
"""How long a server may do nothing inside a transaction, as one that is frozen does: others wait for its locks."""

FRESH_SECONDS = 1.0
"""So long after an answer a connection is taken to be whole still, unless something has come in from its other end."""
QUESTION = ""
"""The statement by which Django's pool asks whether a connection is whole, before it gives it to a request."""

T = TypeVar("T")


class ImpatientConnection(psycopg.Connection[Any]):
    """
    A connection that gives PostgreSQL ``ANSWER_SECONDS`` for each answer, and then is closed.

    Nothing else would end the wait: the kernel of a frozen server acknowledges what its process never reads, so neither
    TCP's time-outs nor PostgreSQL's own notice. Whether the statement was carried out is not known then.
    """

    _answered_at = -math.inf

    def execute(self, query: Any, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        """
        Execute a statement; the question whether the connection is whole is not asked where that is known.

        It is a trip to the database for each request. A server that ends, or ends its connections, says so into each of
        them; one that can say nothing any more is found by asking, as before, a second after its last answer.
        """
        if query == QUESTION and time.monotonic() - self._answered_at < FRESH_SECONDS and not self._has_come_in():
            return self.cursor()
        return super().execute(query, *arguments, **options)

    def set_autocommit(self, value: bool) -> None:  # noqa: FBT001  psycopg's signature
        """Set it, which waits for an answer like a statement and asks nothing."""
        answered_at = self._answered_at
        super().set_autocommit(value)
        self._answered_at = answered_at

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer; raises ``OperationalError`` if there is none in time."""
        try:
            answer = super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
        except psycopg.OperationalError:
            # An error that was an answer has ended the statement, and a connection that broke has no status.
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE or timeout is not None:
                raise
        else:
            self._answered_at = time.monotonic()
            return answer
        self.pgconn.finish()
        raise psycopg.OperationalError(f"no answer from PostgreSQL within {ANSWER_SECONDS:g} s; connection given up")

    def _has_come_in(self) -> bool:
        """Tell whether there is something to read from the other end, its end included, that nobody has waited for."""
        look = select.poll()  # not select(), which knows no numbers above 1023
        look.register(self.pgconn.socket, select.POLLIN)
        return bool(look.poll(0))


def bounds_of(database: dict[str, Any]) -> dict[str, Any]:
    """
    Return the options that bound a server's waiting for this database, to be added to its own ``OPTIONS``.

    For a server alone: a migration or a check of the log may take as long as it needs. What the URL says stays.
    """
    options = database["OPTIONS"]
    if "pool" not in options:
        return {}
    milliseconds = {"statement_timeout": STATEMENT_SECONDS, "idle_in_transaction_session_timeout": IDLE_SECONDS}
    on_server = " ".join(f"-c {name}={seconds * 1000}" for name, seconds in milliseconds.items())
    return {
        "pool": options["pool"] | {"connection_class": ImpatientConnection},
        # Later ones win, so that a URL's own are obeyed.
        "options": " ".join(filter(None, [on_server, options.get("options")])),
    }
