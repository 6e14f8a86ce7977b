"""
A core that does not sleep.

A virtual machine that has nothing to do gives its core back, and another machine's work goes on there until it wants
it again. A server that is done before the next events come then finds nothing of its own in the core's caches, each
time: what a delivery costs would tell how busy the neighbours are, and would tell it of quick servers alone, since a
slow one never sleeps. So somebody stays on the core of the servers who gives way to everybody at once.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import ENDED_WITH_US, Unavailable, pinned_to
from bench.programs import compiled


@contextmanager
def kept_awake(core: int) -> Iterator[int]:
    """Keep a core awake meanwhile; gives the id of the process that does. Raises ``Unavailable`` if nobody can."""
    with pinned_to(core):
        process = subprocess.Popen([*ENDED_WITH_US, str(compiled("awake"))], stdout=subprocess.PIPE)
    try:
        if process.stdout is None or process.stdout.readline() != b"awake\n":
            raise Unavailable("no process may have the policy SCHED_IDLE here; expected Linux, where anybody may")
        yield process.pid
    finally:
        process.kill()
        process.communicate()
