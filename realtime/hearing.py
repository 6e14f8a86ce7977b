"""The hub's one place in the channel layer: a channel, in the group of every tenant that has members here."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from typing import Any

from realtime import bell

logger = logging.getLogger(__name__)

REJOIN_SECONDS = 10.0
"""How often groups are joined again: a Redis that was restarted or flushed has forgotten them."""
RETRY_SECONDS = (0.5, 5.0)
"""After the first failure, and at most. Each attempt to get a channel leaves some kilobytes in the pub/sub layer."""
LEAVING_SECONDS = 1.0
"""How long leaving the groups may take in the end."""


class Hearing:
    """Listens for bells on behalf of one hub. What fails here costs latency only, and is tried again."""

    def __init__(self, layer: Any, on_bell: Callable[[int, int], None]) -> None:
        self._layer = layer
        self._on_bell = on_bell
        self._wanted: set[int] = set()
        self._joined: dict[int, float] = {}
        self._left: set[int] = set()
        self._wake = asyncio.Event()
        self._channel: str | None = None
        self._is_stopping = False
        self._is_failing = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen, on the running loop."""
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._keep_groups())]

    async def stop(self) -> None:
        """Leave, and end what was started; a Redis that does not answer has a second or two to let go."""
        # Left to the last: the core layer would send to a dead member for a day.
        for tenant_id in list(self._wanted):
            self.leave(tenant_id)
        self._is_stopping = True
        self._wake.set()
        receiving, keeping_groups = self._tasks
        await asyncio.wait([keeping_groups], timeout=LEAVING_SECONDS)
        for task in (keeping_groups, receiving):
            # More than once: redis-py's wait_for() forgets a cancellation that comes as its command is done.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=LEAVING_SECONDS)

    def join(self, tenant_id: int) -> None:
        """Be in a tenant's group from soon on."""
        self._wanted.add(tenant_id)
        self._left.discard(tenant_id)
        self._wake.set()

    def leave(self, tenant_id: int) -> None:
        """Be in a tenant's group no more."""
        self._wanted.discard(tenant_id)
        self._joined.pop(tenant_id, None)
        self._left.add(tenant_id)
        self._wake.set()

    async def _receive(self) -> None:
        # In a task of its own, never timed out nor cancelled while in use: a receive() that was cut off once leaves
        # the pub/sub layer deaf without a word.
        pause = RETRY_SECONDS[0]
        while True:
            try:
                # One for good: a layer goes on putting into one that was left whatever is rung, and nobody reads it.
                self._channel = self._channel or await self._layer.new_channel()
                self._joined.clear()
                self._wake.set()
                while True:
                    self._heard(await self._layer.receive(self._channel))
                    pause = RETRY_SECONDS[0]
            except Exception as error:  # noqa: BLE001  whatever a layer raises, begin anew
                self._complain(error)
                await asyncio.sleep(pause)
                pause = min(RETRY_SECONDS[1], 2 * pause)

    def _heard(self, message: Any) -> None:
        if not isinstance(message, dict):
            return  # whoever may write to Redis may write anything
        tenant_id, head = message.get("tenant"), message.get("head")
        if message.get("type") == bell.MESSAGE_TYPE and isinstance(tenant_id, int) and isinstance(head, int):
            self._on_bell(tenant_id, head)

    async def _keep_groups(self) -> None:
        pause = RETRY_SECONDS[0]
        while self._left or not self._is_stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REJOIN_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            channel = self._channel
            if channel is None:
                if self._is_stopping:
                    return
                continue
            try:
                await self._sync_groups(channel)
                pause = RETRY_SECONDS[0]
            except Exception as error:  # noqa: BLE001  tried again soon
                self._complain(error)
                await asyncio.sleep(pause)
                pause = min(RETRY_SECONDS[1], 2 * pause)
                self._wake.set()

    async def _sync_groups(self, channel: str) -> None:
        now = asyncio.get_running_loop().time()
        for tenant_id in [t for t in self._wanted if self._joined.get(t, -math.inf) <= now - REJOIN_SECONDS]:
            await self._layer.group_add(bell.group_of(tenant_id), channel)
            if tenant_id in self._wanted:
                self._joined[tenant_id] = now
            if self._is_failing:
                self._is_failing = False
                logger.warning("bells can be heard again")
        for tenant_id in list(self._left - self._wanted):
            await self._layer.group_discard(bell.group_of(tenant_id), channel)
            self._left.discard(tenant_id)

    def _complain(self, error: Exception) -> None:
        if not self._is_failing:
            logger.warning("bells cannot be heard (%s); sockets hear by the sweep", type(error).__name__)
        self._is_failing = True
