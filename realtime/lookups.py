"""
Who stands behind the sessions of those who come in: asked once for all who come in one turn of the loop.

A thread hop and some queries for each of thousands who come back at once would take as long as all the rest of them
together. While batches are being read the next one grows by itself.
"""

import asyncio
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError, close_old_connections

from realtime import ports, rights
from realtime.ports import Standing
from realtime.rights import Viewer

logger = logging.getLogger(__name__)

AT_ONCE = 2
"""So many batches are read at once: one that takes its time holds up those after it, but for one."""
MOST = 500
"""So many sessions one batch asks for."""

# Threads of its own: a storm of handshakes must neither take every database connection nor hold up requests.
_pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="usher-admission")

Found = tuple[Standing | None, Viewer | None]


class NotLookedUp(Exception):
    """The database could not be asked, or there is a mistake of ours, which has been logged."""


class LookUps:
    """The look-ups of one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, list[asyncio.Future[Found]]] = {}
        self._under_way = 0
        self._is_to_begin = False

    async def of(self, session_id: UUID) -> Found:
        """
        Return a session's standing and viewer, each None if there is none; raises ``NotLookedUp``.

        They are of a moment after this was called: a batch that is under way already answers nobody else.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        self._waiting.setdefault(session_id, []).append(answer)
        if not self._is_to_begin:
            self._is_to_begin = True
            loop.call_soon(self._begin)
        try:
            return await answer
        finally:
            if answer.cancelled():
                self._forget(session_id, answer)

    def _forget(self, session_id: UUID, answer: "asyncio.Future[Found]") -> None:
        """Let go of one who waits no more: while the database hangs they would add up."""
        waiting = self._waiting.get(session_id, [])
        if answer in waiting:
            waiting.remove(answer)
        if not waiting:
            self._waiting.pop(session_id, None)

    def _begin(self) -> None:
        self._is_to_begin = False
        while self._waiting and self._under_way < AT_ONCE:
            batch = {session_id: self._waiting.pop(session_id) for session_id in list(islice(self._waiting, MOST))}
            self._under_way += 1
            reading = asyncio.get_running_loop().run_in_executor(_pool, _look_up, batch.keys())
            reading.add_done_callback(partial(self._answer, batch))

    def _answer(
        self, batch: dict[UUID, list["asyncio.Future[Found]"]], reading: "asyncio.Future[dict[UUID, Found]]"
    ) -> None:
        self._under_way -= 1
        self._begin()
        error = asyncio.CancelledError() if reading.cancelled() else reading.exception()
        if error is not None and not isinstance(error, OperationalError | InterfaceError):
            # Of a database that is away the hub tells, and requests do.
            logger.error("an admission could not be judged", exc_info=error)
        for session_id, waiting in batch.items():
            for answer in waiting:
                if answer.done():
                    continue
                if error is None:
                    answer.set_result(reading.result()[session_id])
                else:
                    answer.set_exception(NotLookedUp(type(error).__name__))


def _look_up(session_ids: Collection[UUID]) -> dict[UUID, Found]:
    close_old_connections()
    try:
        standings = ports.people().standings(session_ids)
        viewers = rights.viewers_of(standings.values())
        return {session_id: (standings.get(session_id), viewers.get(session_id)) for session_id in session_ids}
    finally:
        close_old_connections()


_of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, LookUps]" = WeakKeyDictionary()


def look_ups_of_this_loop() -> LookUps:
    """Return the look-ups of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = LookUps()
    return _of_loops[loop]
