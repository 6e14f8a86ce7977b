"""
The process in which events of a system come to be, on the core that is not the server's.

Commands are lines of JSON on its standard input, [name, arguments]; the answer to each, but to ``publish``, is a line
of JSON on its standard output.
"""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from bench.house import PROJECT
from bench.processes import ENDED_WITH_US, pinned_to


class Publisher:
    """Such a process: bench/usher/publisher.py or bench/tutorial/publisher.py."""

    def __init__(self, program: Sequence[str], environment: dict[str, str], *, core: int) -> None:
        with pinned_to(core):
            self._process = subprocess.Popen(
                [*ENDED_WITH_US, *program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=PROJECT,
                env=environment,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def tell(self, name: str, arguments: Any) -> None:
        """Give a command that has no answer."""
        assert self._process.stdin is not None  # noqa: S101  a pipe
        self._process.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, name: str, **arguments: Any) -> Any:
        """Give a command, and return its answer."""
        self.tell(name, arguments)
        assert self._process.stdout is not None  # noqa: S101  a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the publisher ended with {self._process.wait()} over {name!r}; what it said is above")
        return json.loads(line)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # it had ended by itself, with something left to read
                    stream.close()
