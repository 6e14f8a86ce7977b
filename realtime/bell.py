"""
The bell: a hint, by way of the channel layer, that a tenant's counters have moved. It carries nothing else.

Nobody waits for it. ``ring`` wakes this process's hubs and leaves the rest to one publisher, on a thread and event
loop of its own; a bell that is lost costs latency only, since every hub compares the counters by itself.
"""

import asyncio
import atexit
import logging
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import transaction

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "usher.bell"
PUBLISH_SECONDS = 1.0
"""How long one publish may take before it is given up."""
PAUSE_SECONDS = 0.5
"""How long bells add up after a publish has failed, so that an outage costs one attempt for all of them."""
UNSURE_SECONDS = 5.0
"""For how long after a failed publish bells count as unsure: who publishes is well again before all those who hear."""

Listener = Callable[[int, int], None]
"""Called, from any thread, with a tenant's id and its head (0: not known)."""

_listeners: set[Listener] = set()


def group_of(tenant_id: int) -> str:
    """Return the channel-layer group of a tenant: the one place that spells it. Raises ``ValueError`` for no id."""
    if type(tenant_id) is not int or tenant_id <= 0:
        raise ValueError(f"tenant id is {tenant_id!r}; expected a positive int")
    return f"tenant_{tenant_id}_user_notifications"


def message_of(tenant_id: int, head: int) -> dict[str, Any]:
    """Return what goes through the channel layer: counters and nothing else."""
    return {"type": MESSAGE_TYPE, "tenant": tenant_id, "head": head}


def listen(listener: Listener) -> None:
    """Have a listener called for every bell rung in this process."""
    _listeners.add(listener)


def stop_listening(listener: Listener) -> None:
    """Undo ``listen``."""
    _listeners.discard(listener)


def ring_on_commit(tenant_id: int, head: int = 0) -> None:
    """Ring once the current transaction has committed. ``robust``: whatever fails here must not fail the request."""
    transaction.on_commit(lambda: ring(tenant_id, head), robust=True)


def ring(tenant_id: int, head: int = 0) -> None:
    """Say that a tenant's log (up to ``head``) or, with no head, its rights have moved; returns at once."""
    for listener in list(_listeners):
        listener(tenant_id, head)
    _publisher().publish(tenant_id, head)


def is_unsure() -> bool:
    """Tell whether a bell of this process has lately not got through, so that those of others may be lost as well."""
    return any(time.monotonic() - publisher.failed_at < UNSURE_SECONDS for publisher in _publishers)


class Publisher:
    """
    Sends bells to the channel layer: one at a time, several for one tenant joined into one.

    Its thread, loop and layer are its own, because a layer's connection belongs to one loop, and because a frozen
    Redis must hold up neither a request nor the hub's own receiving.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.failed_at = -math.inf
        """When a publish has failed last, by the monotonic clock."""
        self._pending: dict[int, int] = {}
        self._guard = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._failing = False
        threading.Thread(target=self._run, name="usher-bell", daemon=True).start()

    def publish(self, tenant_id: int, head: int) -> None:
        """Have the bell of a tenant published soon."""
        with self._guard:
            waiting = self._pending.get(tenant_id, head)
            # A bell without a head is heeded by everybody; with the other's head, only by those who have not read it.
            self._pending[tenant_id] = max(head, waiting) if head and waiting else 0
            self._idle.clear()
        self._loop.call_soon_threadsafe(self._wake.set)

    def flush(self, seconds: float = PUBLISH_SECONDS) -> bool:
        """Wait until everything is published or given up; returns whether it is."""
        return self._idle.wait(seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        layer = None
        while True:
            await self._wake.wait()
            self._wake.clear()
            with self._guard:
                batch, self._pending = self._pending, {}
            for tenant_id, head in batch.items():
                layer = await self._send(layer or channel_layers.make_backend(DEFAULT_CHANNEL_LAYER), tenant_id, head)
                if layer is None:
                    break  # an outage costs one attempt and not one for each tenant; the sweep makes up for the rest
            with self._guard:
                if not self._pending:
                    self._idle.set()
            if batch and layer is None:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self, layer: Any, tenant_id: int, head: int) -> Any:
        try:
            await asyncio.wait_for(layer.group_send(group_of(tenant_id), message_of(tenant_id, head)), PUBLISH_SECONDS)
        except Exception as error:  # noqa: BLE001  whatever it is, the hubs' own sweep makes up for it
            if not self._failing:
                logger.warning("bells are not getting through (%s); sockets hear by the sweep", type(error).__name__)
            self._failing = True
            self.failed_at = time.monotonic()
            # A layer whose call was cut off may hold its lock for ever: begin with a new one. Each layer hangs itself
            # onto its loop's close(), and would be kept, some 20 kB, for as long as the loop.
            vars(self._loop).pop("close", None)
            return None
        if self._failing:
            logger.warning("bells are getting through again")
        self._failing = False
        return layer


class LocalPublisher:
    """With the in-memory layer there is nobody outside this process: each hub sends to its own group on its loop."""

    def publish(self, tenant_id: int, head: int) -> None:
        """Do nothing: the listeners have been told."""


_publisher_guard = threading.Lock()
_publishers: list[Publisher] = []


def _publisher() -> Publisher | LocalPublisher:
    if isinstance(channel_layers[DEFAULT_CHANNEL_LAYER], InMemoryChannelLayer):
        return LocalPublisher()
    with _publisher_guard:
        # A fork takes no threads along: a child begins with a publisher of its own.
        if not _publishers or _publishers[-1].pid != os.getpid():
            _publishers[:] = [Publisher()]
        return _publishers[-1]


def flush(seconds: float = PUBLISH_SECONDS) -> bool:
    """Give bells under way that long to get out (a command that ends at once would take them along)."""
    return all(publisher.flush(seconds) for publisher in _publishers if publisher.pid == os.getpid())


atexit.register(flush)
