"""Where a server's time goes: its stacks, recorded by py-spy while deliveries are measured, and brought to parts."""

import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.processes import ENDED_WITH_US, Unavailable

RATE = 100
"""Samples a second."""
LONGER = 5
"""So many times as long as otherwise a loop runs that is recorded."""
ROOTS = ("BaseEventLoop._run_once", "Thread.run")
"""What is outside of these is the same for all that a server does."""
PARTS: Mapping[str, tuple[str, ...]] = {
    "writing to sockets": (
        *("realtime/outlets", "realtime/sending", "realtime/serving/", "uvicorn/", "websockets/"),
        *("daphne/", "twisted/", "autobahn/"),
    ),
    "projecting, encoding": ("realtime/projection", "realtime/showing", "realtime/protocol", "realtime/kinds", "json/"),
    "snapshot, database": (
        *("realtime/snapshot", "realtime/glance", "realtime/log", "realtime/rights", "realtime/changes"),
        *("accounts/", "tenants/", "config/", "django/", "psycopg"),
    ),
    "bells, Redis": ("realtime/hearing", "realtime/bell", "realtime/pubsub", "channels_redis/", "redis/", "msgpack/"),
    "hub, batches": ("realtime/hub", "realtime/batch", "realtime/audience"),
    "connections": (
        "realtime/connection",
        "realtime/lifetime",
        "realtime/beats",
        "realtime/consumers",
        "realtime/limits",
        "channels/",
    ),
}
"""A part, and how the files begin that are of it."""
WRITES = {"hand_out": "writing to sockets"}
"""Functions that are of another part than their file: this one calls the kernel itself."""
WAITING = ("EpollSelector.select", "Condition.wait", "_worker", "Connection.wait", "HugePages._keep")
"""
Innermost where a thread waits: for sockets, for another thread, for work, for PostgreSQL, for time. py-spy stops the
server for each sample, and a thread that is stopped looks as if it ran. Unstopped, stacks that change fast would not be
read.
"""
LOOP, OTHER = "loop, threads", "other"
OF_THE_LOOP = ("asyncio/", "uvloop/", "asgiref/", "concurrent/", "threading", "selectors", "queue")


def part_of(stack: str) -> str:
    """Return the part of a stack: that of the innermost frame which is of any; the loop's have only what is left."""
    files: list[str] = []
    for frame in reversed(stack.split(";")):
        name, _, file = frame.partition(" (")
        if name in ROOTS:
            break
        if name in WRITES and not files:
            return WRITES[name]
        files.append(file)
    for file in files:
        for part, beginnings in PARTS.items():
            if file.startswith(beginnings):
                return part
    return LOOP if not files or any(file.startswith(OF_THE_LOOP) for file in files) else OTHER


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Return the share of each part in collapsed stacks, "outermost;…;innermost COUNT" in each line; none waits."""
    samples: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if stack.rpartition(";")[2].partition(" (")[0] in WAITING:
            continue
        samples[part_of(stack)] += int(count)
    total = samples.total()
    return {part: samples[part] / total for part in (*PARTS, LOOP, OTHER)} if total else {}


@contextmanager
def recorded(pid: int, file: Path) -> Iterator[None]:
    """Record a process meanwhile; leaves its stacks in a file, and says their shares. Raises ``Unavailable``."""
    program = shutil.which("py-spy")
    if program is None:
        raise Unavailable("--profile needs py-spy, which is not on the PATH; install it by: pip install py-spy")
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [program, "record", "--pid", str(pid), "--rate", str(RATE), "--duration", "3600"]
    process = subprocess.Popen(
        [*ENDED_WITH_US, *command, "--function", "--format", "raw", "--output", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    of_parts = shares(file.read_text().splitlines())
    print(f"  {file}: " + ", ".join(f"{part} {share:.0%}" for part, share in of_parts.items()), flush=True)
