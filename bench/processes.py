"""Processes of the benchmarks: started on a core, waited for, and ended by their own id; and what they used."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.processes import ChildProcess, free_port

__all__ = ["ChildProcess", "Unavailable", "accepts", "free_port", "pinned_to"]


class Unavailable(Exception):
    """Something that a system needs is not on this machine; the text says how to get it."""


@contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """Have every process that this thread starts meanwhile run on one core, with all its threads and children."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1; what ``ChildProcess.wait_until`` asks."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
