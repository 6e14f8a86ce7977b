"""Waiting, within bounds."""

import time
from collections.abc import Callable

SECONDS = 60


def wait_until(is_so: Callable[[], bool], *, what: str, seconds: float = SECONDS) -> None:
    """Return when it is so; raises ``TimeoutError`` that names ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} is not ready after {seconds:g} s")
        time.sleep(0.02)
