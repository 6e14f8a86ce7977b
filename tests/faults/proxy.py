"""
A loopback TCP proxy whose line can be made bad: slow, narrow, cut into small pieces, dead, broken or refused.

It stands between any two parts: clients and Usher, Usher and Redis, Usher and PostgreSQL (whose Unix socket it offers
at a TCP port). It has a thread and an event loop of its own, so that any test can turn its knobs, inside a loop or not.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

CHUNK_BYTES = 64 * 1024
CHUNKS_UNDER_WAY = 64
"""So many chunks may be on a slow line at once; more wait at its beginning, as in a full pipe."""
T = TypeVar("T")
Upstream = tuple[str, int] | Path


@dataclass(frozen=True, slots=True)
class Line:
    """
    What a line does with the bytes on it, in both directions; by default nothing.

    ``latency_seconds`` and up to ``jitter_seconds`` more pass before a chunk arrives; its order stays. No more than
    ``bytes_per_second`` pass. ``slice_bytes`` cuts what is sent into segments of at most so many. A black hole takes
    connections, and passes nothing of what is on them, not even their ends, until the line is another.
    """

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float | None = None
    slice_bytes: int = CHUNK_BYTES
    is_black_hole: bool = False


GOOD, BLACK_HOLE = Line(), Line(is_black_hole=True)


class Proxy:
    """Listens at ``port`` of 127.0.0.1 and passes on to ``upstream``. Use it as a context."""

    def __init__(self, upstream: Upstream, *, seed: int = 0) -> None:
        self._upstream = upstream
        self._random = random.Random(seed)
        self._line = GOOD
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.up()

    def set(self, line: Line) -> None:
        """Make the line another, for connections that are open too. What a black hole has kept goes on."""

        async def change() -> None:
            self._line = line
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

        self._do(change())

    def reset(self) -> int:
        """Break all open connections, with a reset at both ends; return how many there were."""

        async def reset() -> int:
            broken = len(self._connections)
            for connection in list(self._connections):
                connection.reset()
            return broken

        return self._do(reset())

    def down(self) -> None:
        """Refuse all connections from now on, and break those that are open."""

        async def close() -> None:
            assert self._server is not None, "the proxy is down already"
            self._server.close()
            self._server = None

        self._do(close())
        self.reset()

    def up(self) -> None:
        """Listen, at the same port as before."""

        async def listen() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=4096)
            self.port = self._server.sockets[0].getsockname()[1]

        self._do(listen())

    @property
    def open_connections(self) -> int:
        """How many connections go through here just now."""
        return len(self._connections)

    def stop(self) -> None:
        """End it, and all that goes through it."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            for connection in list(self._connections):
                connection.reset()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # a transport that was aborted lets go of its socket in the loop's next turn

        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _do(self, change: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(change, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        connection = _Connection()
        connection.add(writer)
        self._connections.add(connection)
        try:
            await self._passing()
            if isinstance(self._upstream, Path):
                there = await asyncio.open_unix_connection(self._upstream)
            else:
                there = await asyncio.open_connection(*self._upstream)
            connection.add(there[1])
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there[1]))
                both.create_task(self._pump(there[0], writer))
        except* OSError:
            connection.reset()  # one that is refused upstream is one too: it was accepted here
        finally:
            self._connections.discard(connection)
            connection.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one direction to its end, and then say that it has ended."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_UNDER_WAY)

        async def take() -> None:
            due = 0.0
            while True:
                await self._passing()
                data = await reader.read(CHUNK_BYTES)
                late = self._line.latency_seconds + self._random.uniform(0, self._line.jitter_seconds)
                due = max(due, self._loop.time() + late)  # nothing overtakes on a line
                await under_way.put((due, data))
                if not data:
                    return

        async with asyncio.TaskGroup() as ends:
            ends.create_task(take())
            async for piece in self._arriving(under_way):
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _arriving(self, under_way: "asyncio.Queue[tuple[float, bytes]]") -> AsyncIterator[bytes]:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - self._loop.time())
            if not data:
                await self._passing()
                return
            while data:
                await self._passing()
                line = self._line
                piece, data = data[: line.slice_bytes], data[line.slice_bytes :]
                yield piece
                if line.bytes_per_second is not None:
                    await asyncio.sleep(len(piece) / line.bytes_per_second)
                elif data:
                    await asyncio.sleep(0)

    async def _passing(self) -> None:
        while self._line.is_black_hole:
            await self._changed.wait()


class _Connection:
    """Both ends of what goes through."""

    def __init__(self) -> None:
        self._ends: list[asyncio.StreamWriter] = []
        self._is_reset = False

    def add(self, end: asyncio.StreamWriter) -> None:
        self._ends.append(end)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_reset:  # it was broken while its other half was being made
            _reset(end)

    def reset(self) -> None:
        self._is_reset = True
        for end in self._ends:
            _reset(end)

    def close(self) -> None:
        for end in self._ends:
            end.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() != -1 and connection.family == socket.AF_INET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
