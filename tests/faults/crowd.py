"""
The viewers of an experiment: real clients, who watch, and come back with ``after=`` to whichever server is next.

All run in this process. What they are sent goes into the history; nothing else about a frame is looked at here.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.cluster import Cluster, Node
from tests.faults.history import History
from tests.faults.house import Seat
from tests.stories.sockets import PATH, PATIENCE

BACKOFF_SECONDS = (0.1, 2.0)
"""The first wait's bound, and the longest's: shorter than the protocol's, else an experiment were mostly waiting."""
_socket_numbers = count(1)


class Viewer:
    """One client, over all its sockets."""

    def __init__(self, seat: Seat, token: str, crowd: "Crowd") -> None:
        self.seat = seat
        self.name = seat.username
        self.cursor: str | None = None
        self.is_live = False
        self.has_last_word = False
        self.sockets = 0
        """How many it has opened."""
        self._token = token
        self._crowd = crowd
        self._retry_seconds = 0.0

    async def watch(self) -> None:
        """Be connected, as far as possible, until cancelled."""
        attempt = 0
        while True:
            if await self._one_socket():
                attempt = 0
            first, longest = BACKOFF_SECONDS
            bound = min(longest, first * 2**attempt)
            wait, self._retry_seconds = self._retry_seconds + self._crowd.random.uniform(0, bound), 0.0
            await asyncio.sleep(wait)
            attempt += 1

    async def before_reading(self) -> None:
        """Return when this client is to read its next frame."""

    async def options(self, node: Node) -> dict[str, Any]:
        """Return what this client opens its sockets with, beside what all do."""
        return {}

    async def _one_socket(self) -> bool:
        """Have one socket from its handshake to its end; tell whether it was synced."""
        history, node, number = self._crowd.history, self._crowd.cluster.next_node(), next(_socket_numbers)
        query = "" if self.cursor is None else f"?after={self.cursor}"
        history.note("opened", viewer=self.name, socket=number, server=node.name, after=self.cursor)
        self.sockets += 1
        code, reason, was_live = None, "", False
        try:
            async with connect(
                f"{node.front.replace('http', 'ws', 1)}{PATH}{query}",
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=PATIENCE,
                close_timeout=1,
                **await self.options(node),
            ) as connection:
                while True:
                    await self.before_reading()
                    frame = history.frame(self.name, number, str(await connection.recv()))
                    if frame["type"] == "ping":
                        with suppress(ConnectionClosed):  # what came before the end is still to be read
                            await connection.send('{"type":"pong"}')
                    self._take(frame)
        except ConnectionClosed as end:
            if end.rcvd is not None:
                code, reason = end.rcvd.code, end.rcvd.reason
        except (OSError, InvalidHandshake, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            was_live, self.is_live = self.is_live, False
            history.note("closed", socket=number, code=code, reason=reason)
        return was_live

    def _take(self, frame: Any) -> None:
        if "data" in frame:
            self.cursor = frame["id"]
            if self.seat.tenant in self._crowd.last_words:
                self.has_last_word |= frame["data"].get("username") == self._crowd.last_words[self.seat.tenant]
        elif frame["type"] == "synced":
            self.is_live = True
            if not frame["complete"]:
                self.cursor = None
        elif frame["type"] == "goodbye":
            self._retry_seconds = frame["retry_after_ms"] / 1000


class Crowd:
    """All viewers."""

    def __init__(
        self,
        cluster: Cluster,
        history: History,
        random: Random,
        kind_of: Callable[[Seat], type[Viewer]] = lambda seat: Viewer,
    ) -> None:
        self.cluster = cluster
        self._kind_of = kind_of
        self.history = history
        self.random = random
        self.viewers: list[Viewer] = []
        self.last_words: dict[str, str] = {}
        """Tenant -> the username after which nothing comes: whoever has been shown it has been shown all."""
        self._watching: list[asyncio.Task[None]] = []

    def enter(self, logins: Iterable[tuple[Seat, str]], *, after: str | None = None) -> None:
        """Have these watch from now on, each with its access token; ``after`` is the cursor that they begin with."""
        for seat, token in logins:
            viewer = self._kind_of(seat)(seat, token, self)
            viewer.cursor = after
            self.history.note("viewer", viewer=viewer.name, user=seat.user, tenant=seat.tenant)
            self.add(viewer)

    def add(self, viewer: Viewer) -> None:
        """Have somebody watch from now on who is in the history already."""
        self.viewers.append(viewer)
        self._watching.append(asyncio.create_task(viewer.watch()))

    async def until_live(self, seconds: float = 60) -> None:
        """Wait until everybody is synced; raises ``AssertionError`` if somebody is not within so many seconds."""
        await self.until(lambda: not self.away(), seconds)
        away = self.away()
        assert not away, f"{len(away)} of {len(self.viewers)} are not live after {seconds:g} s, such as {away[:3]}"

    def away(self) -> list[str]:
        """Return the names of those who are not synced just now."""
        return [viewer.name for viewer in self.viewers if not viewer.is_live]

    def expect_last_word(self, tenant: str, username: str) -> None:
        """Take this user for a tenant's last one from now on; whoever was shown an earlier one was not shown all."""
        self.last_words[tenant] = username
        for viewer in self.viewers:
            if viewer.seat.tenant == tenant:
                viewer.has_last_word = False

    async def until_last_words(self, seconds: float = 60) -> None:
        """Wait until all are live, and who is shown anything was shown the last words; who is not, the judge tells."""
        await self.until(
            lambda: all(v.is_live and (v.has_last_word or not v.seat.sees_somebody) for v in self.viewers), seconds
        )

    async def leave(self) -> None:
        """Have all go."""
        while watching := [task for task in self._watching if not task.done()]:
            for task in watching:
                task.cancel()
            # Once more for whoever was just giving up a handshake: his cancellation was taken for that time-out.
            await asyncio.wait(watching, timeout=2)

    def failures(self) -> list[BaseException]:
        """Return what ended viewers that should still be watching: faults of this harness."""
        ended = (task for task in self._watching if task.done() and not task.cancelled())
        return [error for task in ended if (error := task.exception())]

    async def until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until something holds, or so long."""
        deadline = asyncio.get_running_loop().time() + seconds
        # Frames come by the thousand; looking now and then costs less than telling each time.
        while not holds() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
