"""What the tests of the watching client share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from clients.terminal.frames import Event
from clients.terminal.login import log_in
from clients.terminal.rest import Rest
from clients.terminal.states import Closed, State
from clients.terminal.watcher import Watcher
from tests.clients.terminal.scripted import TENANT, USERNAME, ScriptedServer, serving


@dataclass
class Notebook:
    """A screen that writes down what it is shown."""

    frames: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def frame(self, text: str) -> None:
        self.frames.append(text)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def listed(self, row: Mapping[str, Any]) -> None:
        self.rows.append(row)

    def state(self, state: State) -> None:
        self.states.append(state)

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    @property
    def messages(self) -> list[str]:
        """What the events said, in order."""
        return [event.message for event in self.events]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server without scripts yet."""
    async with serving(ScriptedServer()) as server:
        yield server


@pytest.fixture
def notebook() -> Notebook:
    """An empty notebook."""
    return Notebook()


@pytest.fixture
def watch(server: ScriptedServer, notebook: Notebook) -> Callable[..., Awaitable[Closed]]:
    """Watch the server, with the shortest waits that jitter allows, until the watcher closes."""

    async def watch(*, count: int | None = None) -> Closed:
        rest = Rest(server.address)
        login = await asyncio.to_thread(log_in, rest, tenant=TENANT, username=USERNAME, password="usher-demo")
        watcher = Watcher(rest, login, notebook, count=count, random=lambda: 0.0)
        async with asyncio.timeout(30):
            return await watcher.watch()

    return watch
