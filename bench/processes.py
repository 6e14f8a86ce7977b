"""Processes of the benchmarks: started on a core, waited for, and ended by their own id; and what they used."""

import os
import resource
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.processes import ENDED_WITH_US, ChildProcess, DidNotStart, free_port

__all__ = [
    "ENDED_WITH_US",
    "ChildProcess",
    "CpuUsed",
    "DidNotStart",
    "Unavailable",
    "accepts",
    "as_many_files_as_may_be",
    "free_port",
    "memory_bytes",
    "pinned_to",
    "with_children",
]

CPUCLOCK_SCHED = 2


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


def as_many_files_as_may_be() -> None:
    """Raise the limit of open files of this process, and of those it starts, to what the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def with_children(pids: Iterable[int]) -> list[int]:
    """Return these processes and all that descend from them."""
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += map(int, file.read_text().split())
            except OSError:
                continue  # a thread that has just ended
    return found


class CpuUsed:
    """
    The CPU time that processes, with all their threads, use from now on, by the scheduler's clocks.

    One that ends meanwhile, as PostgreSQL's workers do, counts with what it had used when it was last looked at.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._used = {pid: used for pid in pids if (used := _cpu_seconds(pid)) is not None}
        self._began = sum(self._used.values())

    @property
    def seconds(self) -> float:
        """So much so far."""
        for pid in self._used:
            self._used[pid] = _cpu_seconds(pid) or self._used[pid]
        return sum(self._used.values()) - self._began


def _cpu_seconds(pid: int) -> float | None:
    # Linux' clock of another process: its id, negated, in the high bits (clock_getcpuclockid(3)).
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return None  # it has ended


def memory_bytes(pids: Iterable[int]) -> int:
    """Return the memory that is these processes' own: what they share with others is shared out, and swap counts."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss:", "SwapPss:")):
                total += int(line.split()[1]) * 1024
    return total
