"""Viewers whose rights come and go: each watches whenever it may, with a new session once the last one has ended."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.faults.cluster import Cluster
from tests.stories.sockets import PATH, PATIENCE

AGAIN_SECONDS = (0.15, 1.0)
"""Until the first attempt after a socket, and between two at most: to refuse them is what a server did mostly."""
SESSION_ENDED = (401, 4102)
HTTP_REFUSALS = range(400, 600)


@dataclass(eq=False)
class Watch:
    """One socket, from its handshake on."""

    session: str
    opened: float
    synced: float | None = None
    frames: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """(when it was received, event)"""
    code: int | None = None
    ended: float = float("inf")


class Watcher:
    """One of the tenant's users, over all sockets. ``log_in`` begins a session: it returns its id and a token."""

    def __init__(self, user: str, cluster: Cluster, log_in: Callable[[], tuple[str, str]]) -> None:
        self.user = user
        self.watches: list[Watch] = []
        self.session: str | None = None
        self.beginning = asyncio.Lock()
        """Held while a session begins: whoever ends all sessions holds it too, and knows which they are."""
        self.refusals: Counter[str] = Counter()
        """How handshakes were refused, in the server's words."""
        self.seen: set[str] = set()
        """Whom its events were about."""
        self._cluster, self._log_in = cluster, log_in
        self._token = ""
        self._cursor: str | None = None

    async def watch(self) -> None:
        """Watch until cancelled."""
        refusals = 0
        while True:
            if self.session is None:
                async with self.beginning:
                    self.session, self._token = await asyncio.to_thread(self._log_in)
            end = await self._one_socket()
            if end in SESSION_ENDED:
                self.session = None
            refusals = refusals + 1 if end in HTTP_REFUSALS else 0
            first, longest = AGAIN_SECONDS
            await asyncio.sleep(min(longest, first * 2**refusals))

    async def _one_socket(self) -> int | None:
        """Have one socket; return how it ended, by close code or status."""
        address = self._cluster.next_node().front.replace("http", "ws", 1)
        query = "" if self._cursor is None else f"?after={self._cursor}"
        headers = {"Authorization": f"Bearer {self._token}"}
        watch = Watch(str(self.session), time.monotonic())
        try:
            async with connect(
                f"{address}{PATH}{query}",
                additional_headers=headers,
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=PATIENCE,
                close_timeout=1,
            ) as connection:
                self.watches.append(watch)
                while True:
                    await self._take(watch, json.loads(await connection.recv()), connection)
        except ConnectionClosed as end:
            watch.code = end.rcvd.code if end.rcvd is not None else None
            return watch.code
        except InvalidStatus as refused:
            status, body = refused.response.status_code, bytes(refused.response.body or b"")
            self.refusals[f"{status} {body[:200].decode(errors='replace')}"] += 1
            return status
        finally:
            watch.ended = time.monotonic()

    async def _take(self, watch: Watch, frame: dict[str, Any], connection: Any) -> None:
        if "data" in frame:
            watch.frames.append((time.monotonic(), frame))
            self._cursor = frame["id"]
            self.seen.add(frame["data"]["id"])
        elif frame["type"] == "synced":
            watch.synced = time.monotonic()
            if not frame["complete"]:
                self._cursor = None
        elif frame["type"] == "ping":
            with suppress(ConnectionClosed):  # what came before the end is still to be read
                await connection.send('{"type":"pong"}')
