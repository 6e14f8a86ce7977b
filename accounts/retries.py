"""Trying again what the database gave up for another transaction's sake."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

ATTEMPTS = 3
PAUSE_SECONDS = 0.1, 0.3
"""Before another attempt: whoever begins again at once can take back the rows that the other has waited for, and the
two stand as before. By chance, so that two that were both given up do not meet again."""
DEADLOCK, SERIALISATION_FAILURE = "40P01", "40001"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

P = ParamSpec("P")
R = TypeVar("R")


def retried(service: Callable[P, R]) -> Callable[P, R]:
    """
    Make a service run again, three times at most, when PostgreSQL ended it to resolve a conflict with another.

    The service opens its own transaction, and does nothing outside it that must not happen twice. Inside a transaction
    of the caller's it runs once: the caller's statements are lost as well, so only the caller can begin anew.
    """

    @wraps(service)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        attempts_left = 1 if connection.in_atomic_block else ATTEMPTS
        while True:
            attempts_left -= 1
            try:
                return service(*args, **kwargs)
            except OperationalError as error:
                if not attempts_left or not is_conflict(error):
                    raise
            time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311  no secret

    return attempt


def is_conflict(error: OperationalError) -> bool:
    """Tell whether the database gave up a transaction that can succeed when it runs again."""
    return getattr(error.__cause__, "sqlstate", None) in {DEADLOCK, SERIALISATION_FAILURE}
