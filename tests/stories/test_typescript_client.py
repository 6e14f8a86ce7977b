"""The client in TypeScript, in Node, at a real server, over a line that breaks."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from config.env import PROJECT
from tests.databases import Vendor
from tests.faults.proxy import Proxy
from tests.stories.people import Story
from tests.stories.servers import ServerName
from tests.stories.sockets import Socket
from tools import node

AT_ONCE = 8
PATIENCE = 120
SEED = os.environ.get("FAULTS_SEED", "1")
SCRIPT = PROJECT / "clients" / "typescript" / "tests" / "node" / "watch.ts"


class Watching:
    """The client's process, and what it has told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[str] = []
        self.states: list[str] = []
        self.shown: list[str] = []
        self._told = asyncio.Event()

    async def listen(self) -> None:
        """Take what it tells, to its end."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.events.append(told["event"])
            self.states += [told["state"]] if "state" in told else []
            self.shown = told.get("shown", self.shown)
            self._told.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something can be seen in what it tells."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                self._told.clear()
                await self._told.wait()

    def end(self) -> None:
        """Have it tell what it shows, and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with all that it needs, in one file that Node can run."""
    node.install(node.CLIENTS)
    bundle = tmp_path_factory.mktemp("client") / "watch.cjs"
    options = ["--bundle", "--platform=node", "--format=cjs", f"--outfile={bundle}"]
    options.append(f"--alias:@usher/client={PROJECT}/clients/typescript/src/index.ts")
    command = node.command("exec", "--", "esbuild", str(SCRIPT), *options)
    subprocess.run(command, cwd=node.CLIENTS, env=node.environment(), check=True, stdin=subprocess.DEVNULL)
    return bundle


@asynccontextmanager
async def watching(script: Path, address: str) -> AsyncIterator[Watching]:
    """Have the client watch as Alice."""
    process = await asyncio.create_subprocess_exec(
        node.programs() / "node", script, address, "acme", "alice", "usher-demo",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=node.environment(),
    )  # fmt: skip
    watch = Watching(process)
    listening = asyncio.create_task(watch.listen())
    try:
        yield watch
        watch.end()
        async with asyncio.timeout(PATIENCE):
            await listening
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        listening.cancel()


class Drops:
    """Breaks the line at some of many moments; each time a line on which the client is live."""

    def __init__(self, client: Watching, line: Proxy, at: set[int]) -> None:
        self._client = client
        self._line = line
        self._at = at
        self._one_at_a_time = asyncio.Lock()
        self.count = 0

    async def maybe(self, moment: int) -> None:
        """Break it, if this is such a moment."""
        if moment in self._at:
            async with self._one_at_a_time:
                await self._client.until(lambda: self._client.states.count("live") > self.count)
                self.count += 1
                await asyncio.to_thread(self._line.reset)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("name", "events", "times"), [("uvicorn", 2_000, 50), ("daphne", 400, 10)])
async def test_however_often_the_line_drops_each_event_comes_once_and_in_order(
    name: ServerName,
    events: int,
    times: int,
    stories_on: Callable[..., list[Story]],
    demo_database: Callable[[Vendor], str],
    script: Path,
) -> None:
    (story,) = stories_on(name, DATABASE_URL=demo_database("sqlite"))
    undisturbed = await story.socket("alice")
    with Proxy(("127.0.0.1", int(story.server.address.rpartition(":")[2]))) as line:
        async with watching(script, f"http://127.0.0.1:{line.port}") as client:
            await client.until(lambda: "live" in client.states)
            await create(story, range(1))
            await client.until(lambda: bool(client.events))  # so it has a place to resume from

            drops = Drops(client, line, set(Random(SEED).sample(range(1, events), times)))
            hearing = asyncio.create_task(taken(story, undisturbed, events))
            await create(story, range(1, events), then=drops.maybe)
            heard = await hearing

            await client.until(lambda: len(client.events) >= events)
        rows = await everybody(story)

    assert drops.count == times
    assert client.states.count("catching_up") > times, "each drop was one"
    assert client.events == heard
    assert client.shown == rows[: len(client.shown)]
    assert len(client.shown) >= events


async def taken(story: Story, socket: Socket, count: int) -> list[str]:
    """Return the ids of so many events, from a line that does not break; the token is renewed when that is due."""
    ids: list[str] = []
    while len(ids) < count:
        frame = await socket.next()
        if frame.type == "user.created":
            ids.append(frame.id)
        elif frame.type == "auth.expiring":
            await socket.say(type="auth", token=(await story.log_in("alice")).access)
    return ids


async def create(story: Story, numbers: Iterable[int], then: Callable[[int], Awaitable[None]] | None = None) -> None:
    """Have Alice create users, a few at a time, and after each do ``then``."""
    left = iter(numbers)

    async def create() -> None:
        for number in left:
            await story.call("POST", "/users", by="alice", expect=201, username=f"newcomer-{number}")
            if then is not None:
                await then(number)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(create())


async def everybody(story: Story) -> list[str]:
    """Return the usernames of all users that Alice may see, newest first."""
    names: list[str] = []
    path: str | None = "/users?limit=200"
    while path is not None:
        page = (await story.call("GET", path, by="alice", expect=200)).json()
        names.extend(row["username"] for row in page["results"])
        path = f"/users?limit=200&before={page['results'][-1]['id']}" if page["next"] else None
    return names
