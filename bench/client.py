"""The load client, as the driver sees it: sockets opened, events finished, what was counted."""

import json
import os
import selectors
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.processes import ENDED_WITH_US, as_many_files_as_may_be, pinned_to
from bench.programs import compiled
from bench.systems import Opening

# RFC 6455's example: the floor, which is no server, knows its answer.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
TEXT, BINARY = 0x81, 0x82
SECONDS_TO_ANSWER = 300
HEAD = struct.Struct("=IIIIII")


class ClientFailed(Exception):
    """The load client ended, or does not answer; the text has what it said."""


def frame_of(payload: bytes, *, is_binary: bool = False) -> bytes:
    """Return a client's frame: masked, as it must be, with a mask of zeros, which leaves the payload as it is."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")  # noqa: PLR2004
    return bytes([BINARY if is_binary else TEXT]) + length + bytes(4) + payload


def record_of(group: int, port: int, opening: Opening) -> bytes:
    """Return an opening as load.c reads it."""
    headers = (
        ("Host", f"127.0.0.1:{port}"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
        *opening.headers,
    )
    request = f"GET {opening.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    says = b"".join(frame_of(payload, is_binary=opening.is_binary) for payload in opening.says)
    begins, answer = opening.pong or (b"", b"")
    fields = (request.encode(), says, opening.ready, begins, frame_of(answer) if begins else b"")
    return HEAD.pack(group, *map(len, fields)) + b"".join(fields)


class LoadClient:
    """A load client on a core, for the sockets of one server. Use it as a context."""

    def __init__(self, *, port: int, core: int, folder: Path, openings: Iterable[tuple[int, Opening]]) -> None:
        file = folder / "openings"
        with file.open("wb") as out:
            out.writelines(record_of(group, port, opening) for group, opening in openings)
        program = compiled("load")
        read, write = os.pipe()
        # It inherits the limit: each socket needs a file.
        as_many_files_as_may_be()
        with pinned_to(core):
            self._process = subprocess.Popen(
                [*ENDED_WITH_US, program, str(port), file, str(write)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[write],
            )
        os.close(write)
        self._finished = read
        self._rest = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(read, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self, count: int, *, at_once: int = 32) -> dict[str, Any]:
        """Open so many more sockets; return how many are open and were refused, and how long each took."""
        answer: dict[str, Any] = self._ask(f"open {count} {at_once}")
        return answer

    def mark(self) -> None:
        """Begin to count anew."""
        self._ask("mark")

    def report(self) -> dict[str, Any]:
        """Return what was counted since the mark."""
        answer: dict[str, Any] = self._ask("report")
        return answer

    def received(self, first: int, last: int) -> list[int]:
        """Return by how many sockets each of these events was received; ``last`` is excluded."""
        counts: list[int] = self._ask(f"received {first} {last}")
        return counts

    def finished(self, seconds: float) -> Sequence[int]:
        """Return the numbers of events that all their sockets have got since the last call; waits so long for one."""
        if not self._selector.select(seconds):
            return ()
        read = os.read(self._finished, 1 << 16)
        if not read:
            raise ClientFailed(f"the load client ended with {self._process.wait()}")
        data = self._rest + read
        whole = len(data) // 4 * 4
        self._rest = data[whole:]
        return struct.unpack(f"={whole // 4}I", data[:whole])

    def close(self) -> None:
        """End it, and with it all its sockets."""
        self._selector.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        os.close(self._finished)

    def _ask(self, command: str) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  both are pipes
        assert stdout is not None  # noqa: S101
        stdin.write(command.encode() + b"\n")
        stdin.flush()
        with selectors.DefaultSelector() as answers:
            answers.register(stdout, selectors.EVENT_READ)
            line = stdout.readline() if answers.select(SECONDS_TO_ANSWER) else b""
        if not line:
            raise ClientFailed(f"the load client did not answer {command!r}; status {self._process.poll()}")
        return json.loads(line)
