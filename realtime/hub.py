"""
The hub: hears bells, reads the log, delivers. One per event loop, made by its first connection.

While one batch is being read bells only accumulate, so that batches grow by themselves under load. Whoever is
connected has missed nothing: every tenant's counters are compared with the database at each sweep, bell or no bell.
While bells get lost the sweeps come more often.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from realtime import bell, snapshot
from realtime.audience import Audience, AudiencePlan
from realtime.batch import apply
from realtime.connection import Connection, Identity
from realtime.hearing import Hearing
from realtime.projection import Projector
from realtime.protocol import Close
from realtime.snapshot import Answer, Plan, TenantPlan

logger = logging.getLogger(__name__)

APART_SECONDS = (0.005, 0.02)
"""Batches start at least this far apart, so that a burst is read in few of them; after one of many tenants farther."""
APART_TENANTS = 8
"""After a batch of more tenants the next one waits longer: what each batch costs by itself is shared by more."""
BLIND_SECONDS = 60.0
"""How long sockets may stay open while the database cannot be read."""
RETRY_SECONDS = (0.1, 2.0)
UNSURE_SWEEP_SECONDS = 0.5
"""From one sweep to the next while bells get lost. A crowded machine adds a second to what a sweep brings."""
LETTING_GO_SECONDS = 2.0
BREATHER_SOCKETS = 100
"""When the tenants of so many sockets have been served the loop turns to others, which costs what some sockets do."""
LET_IN_A_TURN = 250
"""So many newcomers are let in by one batch, and the others by the next: some 20 ms for which all else waits."""

_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub_of_this_loop() -> "Hub":
    """Return the hub of the running event loop, made and started if there is none yet."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(loop)
        _hubs[loop].start()
    return _hubs[loop]


class Hub:
    """Every tenant's audience in this process, and the one reader that serves them all."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.audiences: dict[int, Audience] = {}
        self.is_draining = False
        self._told_to_go = asyncio.Event()
        self._outside = 0
        self._loop = loop
        self._layer: Any = channel_layers[DEFAULT_CHANNEL_LAYER]
        self._hearing = Hearing(self._layer, self.mark)
        self._dirty: set[int] = set()
        self._is_sweep_due = False
        self._wake = asyncio.Event()
        self._emptied = asyncio.Event()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="usher-hub")
        self._tasks: set[asyncio.Task[None]] = set()
        self._blind_since: float | None = None

    def start(self) -> None:
        """Begin to hear and to read."""
        bell.listen(self._rung_here)
        self._hearing.start()
        self._tasks = {self._loop.create_task(self._read()), self._loop.create_task(self._sweep())}

    async def stop(self) -> None:
        """End what was started. The hub is of no use afterwards."""
        bell.stop_listening(self._rung_here)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hearing.stop()
        with contextlib.suppress(TimeoutError):  # the reader may be waiting for a database that hangs
            async with asyncio.timeout(LETTING_GO_SECONDS):
                await self._loop.run_in_executor(self._reader, connections.close_all)
        self._reader.shutdown(wait=False)

    def join(self, connection: Connection) -> None:
        """Register a connection in its tenant's group; the next snapshot lets it in, or closes it."""
        tenant_id = connection.identity.tenant_id
        audience = self.audiences.get(tenant_id)
        if audience is None:
            audience = self.audiences[tenant_id] = Audience(tenant_id)
            self._hearing.join(tenant_id)
        audience.join(connection)

        def on_behind(late: Connection) -> None:
            audience.behind.add(late)
            self.mark(tenant_id)

        connection.on_behind = on_behind
        self.mark(tenant_id)
        if self.is_draining:  # it was being admitted while the others were told to go
            connection.close(Close.DRAIN)

    def renew(self, connection: Connection, identity: Identity) -> None:
        """Have a token that was shown on an open socket judged by the next snapshot."""
        audience = self.audiences.get(connection.identity.tenant_id)
        if audience is not None and connection.is_open:
            audience.renew(connection, identity)
            self.mark(audience.tenant_id)

    def leave(self, connection: Connection) -> None:
        """Forget a connection; with the last one of a tenant all that is known of the tenant goes too."""
        connection.gone()
        tenant_id = connection.identity.tenant_id
        audience = self.audiences.get(tenant_id)
        if audience is None:
            return
        audience.leave(connection)
        if not audience.members:
            del self.audiences[tenant_id]
            self._dirty.discard(tenant_id)
            self._hearing.leave(tenant_id)
            self._emptied.set()
        if not self.audiences:
            self._blind_since = None  # nobody is left to whom nothing is sent; who comes next begins to wait then

    def mark(self, tenant_id: int, head: int = 0) -> None:
        """Have a tenant read soon. A head that has been read already says nothing new (0: not known)."""
        audience = self.audiences.get(tenant_id)
        if audience is None or (head and audience.position is not None and head <= audience.position):
            return
        self._dirty.add(tenant_id)
        self._wake.set()

    @contextlib.contextmanager
    def outside(self) -> Iterator[asyncio.Event]:
        """Count a socket that has not shown a token yet. The event tells it of the drain, which waits for it too."""
        self._outside += 1
        try:
            yield self._told_to_go
        finally:
            self._outside -= 1
            self._emptied.set()

    async def drain(self, *, seconds_to_wait: Callable[[], float], within_seconds: float) -> None:
        """Say goodbye to everybody, each with a retry hint of its own, and wait until they are gone."""
        self.is_draining = True
        self._told_to_go.set()
        everybody = [c for audience in self.audiences.values() for c in audience.members]
        for connection in everybody:
            connection.close(Close.DRAIN, retry_after_ms=int(seconds_to_wait() * 1000))
        deadline = self._loop.time() + within_seconds
        while (self.audiences or self._outside) and self._loop.time() < deadline:
            self._emptied.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), deadline - self._loop.time())
        await self.stop()

    def _rung_here(self, tenant_id: int, head: int) -> None:
        """Called from any thread of this process."""
        try:
            self._loop.call_soon_threadsafe(self._hear_here, tenant_id, head)
        except RuntimeError:  # the loop was closed without a drain
            bell.stop_listening(self._rung_here)

    def _hear_here(self, tenant_id: int, head: int) -> None:
        if not isinstance(self._layer, InMemoryChannelLayer):
            self.mark(tenant_id, head)
        elif tenant_id in self.audiences:
            # This layer is of this loop alone, so what rings in this process goes through it here.
            send = self._layer.group_send(bell.group_of(tenant_id), bell.message_of(tenant_id, head))
            task = self._loop.create_task(send)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        while True:
            await self._until_next_sweep()
            self._is_sweep_due = True
            self._wake.set()
            # Here and not where reading fails: a database that hangs fails nothing, and answers nothing either.
            if self._blind_since is not None and self._loop.time() - self._blind_since >= BLIND_SECONDS:
                self._close_all()

    async def _until_next_sweep(self) -> None:
        due = self._loop.time() + settings.USHER.sweep_seconds
        while (left := due - self._loop.time()) > 0:
            await asyncio.sleep(min(left, UNSURE_SWEEP_SECONDS))
            if bell.is_unsure():
                return

    async def _read(self) -> None:
        pause = 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._dirty = self._dirty & self.audiences.keys(), set()
            is_sweep, self._is_sweep_due = self._is_sweep_due and bool(self.audiences), False
            if not batch and not is_sweep:
                continue
            began = self._loop.time()
            self._blind_since = self._blind_since or began
            try:
                if is_sweep:
                    batch = (batch | await self._moved()) & self.audiences.keys()
                if batch:
                    await self._turn(batch)
                if pause:
                    logger.warning("the log can be read again")
                pause = 0.0
                self._blind_since = None
                await asyncio.sleep(max(0.0, seconds_apart(len(batch)) - (self._loop.time() - began)))
            except Exception as error:  # noqa: BLE001  whatever it is, the sockets wait for the next attempt
                if not pause:
                    _complain(error)
                self._dirty |= batch
                self._is_sweep_due = self._is_sweep_due or is_sweep
                self._wake.set()
                pause = min(RETRY_SECONDS[1], 2 * (pause or RETRY_SECONDS[0]))
                await asyncio.sleep(pause)

    async def _moved(self) -> set[int]:
        """Compare every tenant's counters with the database; return those that are to be read."""
        moved: set[int] = set()
        known = []
        now = time.time()
        for tenant_id, audience in self.audiences.items():
            to_compare = audience.to_compare(now)
            if to_compare is None:
                moved.add(tenant_id)
            else:
                known.append(to_compare)
        if known:
            moved.update(await self._loop.run_in_executor(self._reader, snapshot.moved, known))
        return moved

    async def _turn(self, batch: set[int]) -> None:
        # Those with few sockets first: they are done soon, and wait for nobody's crowd.
        audiences = sorted((self.audiences[tenant_id] for tenant_id in batch), key=lambda a: len(a.members))
        planned = list(_plans(audiences))
        answer: Answer = await self._loop.run_in_executor(self._reader, snapshot.read, _joined(planned))
        projector = Projector()
        together: list[tuple[Audience, TenantPlan]] = []
        sockets = 0
        for tenant in (plan.tenant for plan in planned):
            audience = self.audiences.get(tenant.tenant_id)
            if audience is None:
                continue
            if (audience.position, audience.rights) != (tenant.position, tenant.rights):
                # It was made anew since the plan, and knows nothing that the plan knew: its own turn will come.
                self.mark(tenant.tenant_id)
                continue
            if len(audience.members) >= BREATHER_SOCKETS:
                # Its steps would come before the next ones of all who are with it.
                self._apply(answer, together, projector)
                together = []
            together.append((audience, tenant))
            sockets += len(audience.members)
            if sockets >= BREATHER_SOCKETS:
                # What else waits for this loop waits for one large tenant at a time, or for some small ones.
                self._apply(answer, together, projector)
                together, sockets = [], 0
                await asyncio.sleep(0)
        self._apply(answer, together, projector)

    def _apply(self, answer: Answer, together: Sequence[tuple[Audience, TenantPlan]], projector: Projector) -> None:
        for audience in apply(answer, together, projector):
            self.mark(audience.tenant_id)
        for audience, _ in together:
            if audience.newcomers or audience.renewals:
                self.mark(audience.tenant_id)

    def _close_all(self) -> None:
        for audience in self.audiences.values():
            for connection in list(audience.members):
                connection.close(Close.SERVER_ERROR)


def seconds_apart(tenants: int) -> float:
    """Return how long after a batch of so many tenants began the next one may begin, at the soonest."""
    least, most = APART_SECONDS
    return min(most, least * max(1.0, tenants / APART_TENANTS))


def _complain(error: Exception) -> None:
    reason = str(error).partition("\n")[0]
    # Of a database that is away there is no more to tell; anything else is a mistake of ours.
    traceback = None if isinstance(error, OperationalError | InterfaceError) else error
    logger.error("the log cannot be read (%s); nothing is sent until it can", reason, exc_info=traceback)


def _plans(audiences: Iterable[Audience]) -> Iterator[AudiencePlan]:
    places = LET_IN_A_TURN
    for audience in audiences:
        yield audience.plan(places)
        places = max(0, places - len(audience.newcomers))


def _joined(planned: Sequence[AudiencePlan]) -> Plan:
    return Plan(
        tenants=tuple(plan.tenant for plan in planned),
        joining=frozenset().union(*(plan.joining for plan in planned)),
        resumptions=tuple(resumption for plan in planned for resumption in plan.resumptions),
        pages=frozenset().union(*(plan.pages for plan in planned)),
    )
