"""Servers for hostile clients: both, with what stands behind them as small as it can be, since little gets that far."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import Vendor
from tests.stories.hostile.handshakes import OUR_PAGE
from tests.stories.hostile.wire import Wire, request
from tests.stories.people import SECONDS_OF_A_LOGIN
from tests.stories.servers import NAMES, Server, ServerName


class Target:
    """A server, and a way in that is always open."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.address = server.address
        self._token, self._at = "", 0.0

    @property
    def token(self) -> str:
        """An access token of Alice's, who logs in for it now and then."""
        if not self._token or time.monotonic() - self._at > SECONDS_OF_A_LOGIN:
            body = {"tenant": "acme", "username": "alice", "password": "usher-demo"}
            answer = httpx.post(f"{self.address}/api/v1/auth/token", json=body, trust_env=False, timeout=30)
            self._token, self._at = answer.json()["access"], time.monotonic()
        return self._token

    def megabytes(self) -> float:
        """Return the memory that the server's process holds now."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def assert_unharmed(self) -> None:
        """Fail unless the process that was started runs, answers at once, and had nothing to complain about."""
        assert self.server.process.is_running
        with Wire(self.address) as wire:
            wire.send(request("GET /livez HTTP/1.1", [("Host", "127.0.0.1"), ("Connection", "close")]))
            assert wire.answers() == "200"
        complaints = self.server.complaints()
        assert not complaints, f"the server complained:\n{complaints}"


@pytest.fixture(scope="session")
def start_target(demo_database: Callable[[Vendor], str], logs: Path) -> Iterator[Callable[..., Target]]:
    """Start servers: ``start_target("daphne", USHER_AUTH_SECONDS="1")``; they end with the session."""
    servers: list[Server] = []

    def start(name: ServerName, **variables: str) -> Target:
        ours = {"DATABASE_URL": demo_database("sqlite"), "USHER_ALLOWED_ORIGINS": OUR_PAGE}
        servers.append(Server(name, folder=logs, variables=ours | variables))
        return Target(servers[-1])

    yield start
    for server in servers:
        with server:
            pass


@pytest.fixture(scope="session", params=NAMES)
def shared_target(request: pytest.FixtureRequest, start_target: Callable[..., Target]) -> Iterator[Target]:
    """One server of each kind for all that does not need its own; at the end it must still let a viewer in."""
    target = start_target(request.param)
    yield target
    with Wire(target.address) as wire:
        assert wire.open(target.token) == "101"


@pytest.fixture
def target(shared_target: Target) -> Iterator[Target]:
    """A server that must be unharmed by the test."""
    yield shared_target
    shared_target.assert_unharmed()
