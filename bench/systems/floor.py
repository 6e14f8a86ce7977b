"""The floor: a C program that does one ``send()`` of the ready-made frame for each socket. Nothing can be below it."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.processes import ENDED_WITH_US, accepts, free_port, pinned_to
from bench.programs import compiled
from bench.systems import Opening, payload_of
from bench.waiting import wait_until


class Floor:
    """The floor as a system."""

    name = "C floor"

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pids(self) -> Sequence[int]:
        """The one process."""
        return [self._process.pid] if self._process else []

    @property
    def beside(self) -> Sequence[int]:
        """Nobody."""
        return []

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it."""
        self.port = free_port()
        with pinned_to(core):
            self._process = subprocess.Popen(
                [*ENDED_WITH_US, str(compiled("floor")), str(self.port)], stdin=subprocess.PIPE, cwd=folder
            )
        wait_until(lambda: accepts(self.port), what="the C floor")

    def opening(self, group: int, number: int) -> Opening:
        """Return the group's address."""
        return Opening(path=f"/{group}")

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Hand over ready-made frames."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("publish() before start()")
        for group, marker in events:
            payload = payload_of(marker)
            frame = b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
            self._process.stdin.write(struct.pack("=II", group, len(frame)) + frame)
        self._process.stdin.flush()

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
