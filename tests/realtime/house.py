"""
A hub with real rights, a real log and a real database, and sockets whose transport the test holds in its hand.

Everything the product does between a commit and a transport runs here as it is; what is left out is the server.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts import provisioning, users
from accounts.models import Session, User
from realtime import ports, rights
from realtime.connection import Connection, Identity
from realtime.hub import Hub, hub_of_this_loop
from realtime.outlets import Outlet
from tenants.models import Head, Tenant

Answer = TypeVar("Answer")
LONG = 60.0
TOKEN_SECONDS = 3600.0
"""No test outlives a token that it is not about, however busy the machine."""


def make_tenant(slug: str) -> Tenant:
    """Make a tenant with its first roles."""
    return provisioning.create_tenant(slug=slug, name=slug.title())


def make_user(tenant: Tenant, username: str, role: str | None = None, **fields: Any) -> User:
    """Make a user of a tenant, as the command line does."""
    return users.create_user(tenant=tenant, username=username, role=role, joined_via="command", **fields)


def make_session(user: User) -> Session:
    """Log a user in, without the password."""
    now = timezone.now()
    return Session.objects.create(
        user=user, expires_at=now + timedelta(days=1), refresh_jti=str(uuid4()), refreshed_at=now
    )


def identity_of(session: Session) -> Identity:
    """Return who holds a fresh token of a session."""
    assert session.user.tenant_id is not None
    return Identity(
        user_id=session.user_id,
        tenant_id=session.user.tenant_id,
        session_id=session.pk,
        token_expires_at=time.time() + TOKEN_SECONDS,
    )


@dataclass(eq=False)
class Socket:
    """A client that has received ``frames``; while ``is_full`` is set, its transport takes nothing."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    closed: int | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.room.set()

    async def send(self, message: Mapping[str, Any]) -> None:
        """Take a message, once there is room."""
        while not self.room.is_set():
            await self.room.wait()
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        else:
            self.frames.append(json.loads(message["text"]))
        self.changed.set()

    def of_type(self, name: str) -> list[dict[str, Any]]:
        """Return the frames of a type."""
        return [frame for frame in self.frames if frame["type"] == name]

    @property
    def heard_of(self) -> list[str]:
        """The usernames in the events that came, in order."""
        return [frame["data"]["username"] for frame in self.of_type("user.created")]

    async def until(self, holds: Callable[["Socket"], object]) -> None:
        """Wait until something holds; after a minute it never will."""
        async with asyncio.timeout(LONG):
            while not holds(self):
                self.changed.clear()
                await self.changed.wait()


def socket_of(connection: Connection) -> Socket:
    """Return the client at the other end of a connection."""
    socket = connection._outlet._send.__self__
    assert isinstance(socket, Socket)
    return socket


class House:
    """A hub on the running loop, and a thread that writes to the database as another client would."""

    def __init__(self, hub: Hub, writer: ThreadPoolExecutor) -> None:
        self.hub = hub
        self._writer = writer
        self._turned = asyncio.Event()
        turn = hub._turn

        async def counted(batch: set[int]) -> None:
            await turn(batch)
            self._turned.set()

        hub._turn = counted  # type: ignore[method-assign]

    async def write(self, call: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        """Run something on the writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(call, *args, **kwargs))

    def enter(self, identity: Identity, *, cursor: str | None = None) -> Socket:
        """Connect, as the consumer does for an admitted socket."""
        socket = Socket()

        def aborted() -> None:
            socket.closed = socket.closed or 1006
            socket.changed.set()

        connection = Connection(identity=identity, outlet=Outlet(socket.send, abort=aborted), cursor=cursor)
        socket.connection = connection  # type: ignore[attr-defined]
        self.hub.join(connection)
        return socket

    async def socket(self, session: Session, *, cursor: str | None = None) -> Socket:
        """Connect and wait until the hub has let the socket in or closed it."""
        identity = await self.write(identity_of, session)
        socket = self.enter(identity, cursor=cursor)
        await socket.until(lambda s: s.closed or s.of_type("ready"))
        return socket

    async def read_all(self) -> None:
        """Wait until the hub has read everything that is committed by now, whether a bell was rung or not."""
        heads, counters = await self.write(_counters)
        for tenant_id in list(self.hub.audiences):
            self.hub.mark(tenant_id)
        async with asyncio.timeout(LONG):
            while not all(
                (audience.position or 0) >= heads.get(tenant_id, 0)
                and (audience.rights or 0) >= counters.get(tenant_id, 0)
                and not audience.newcomers
                and not any(connection.wants_page for connection in audience.behind)
                for tenant_id, audience in self.hub.audiences.items()
            ):
                self._turned.clear()
                await self._turned.wait()


def _counters() -> tuple[dict[int, int], dict[int, int]]:
    from tenants.models import RightsCounter

    return (
        dict(Head.objects.values_list("tenant_id", "position")),
        dict(RightsCounter.objects.values_list("tenant_id", "value")),
    )


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Run a hub while the body runs."""
    writer = ThreadPoolExecutor(max_workers=1)
    hub = hub_of_this_loop()
    try:
        yield House(hub, writer)
    finally:
        await hub.stop()
        await asyncio.get_running_loop().run_in_executor(writer, connections.close_all)
        writer.shutdown()


def viewer_now(session: Session) -> tuple[ports.Standing, rights.Viewer]:
    """Return what admission would read of a session just now."""
    standings = ports.people().standings([session.pk])
    return standings[session.pk], rights.viewers_of(standings.values())[session.pk]


class Seam:
    """A place between two statements of the hub's reading, where another client's transactions are slipped in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, function: str) -> None:
        self._slip: Callable[[], object] | None = None
        real = getattr(module, function)

        def seamed(*args: Any, **kwargs: Any) -> Any:
            slip, self._slip = self._slip, None
            if slip is not None:
                thread = threading.Thread(target=_run_and_close, args=[slip])
                thread.start()
                thread.join()
            return real(*args, **kwargs)

        monkeypatch.setattr(module, function, seamed)

    def slip_in(self, slip: Callable[[], object]) -> None:
        """Have ``slip`` run, and commit, when the hub next comes by."""
        self._slip = slip


def _run_and_close(slip: Callable[[], object]) -> None:
    try:
        slip()
    finally:
        connections.close_all()
