"""
Several servers on one database and one Redis, each at a port of its own that it keeps when it comes back.

    cluster = Cluster(["daphne", "uvicorn"], history=history, folder=folder, variables={"DATABASE_URL": …})
    with cluster:                        # all are started, at once
        await cluster.kill(node)         # kill -9; the history says so
        await cluster.bring_back(node)

Clients find a server at ``node.front``: put a proxy there, and they go through it. ``node.variables`` may differ from
one node to the next, and are read at each start.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

from tests.faults.history import History
from tests.services.processes import free_port
from tests.stories.servers import Server, ServerName

RAISED_LIMITS = {
    # Hundreds come from one address here, one owner creates thousands, and nothing here is about the end of a token.
    "USHER_ACCESS_SECONDS": "3600",
    "USHER_REQUESTS_PER_ADDRESS": "100000/min",
    "USHER_REQUESTS_PER_USER": "100000/min",
    "USHER_HANDSHAKES_PER_ADDRESS": "100000/min",
    "USHER_HANDSHAKES_PER_USER": "100000/min",
    "USHER_CREATIONS_PER_TENANT": "100000/min",
}
EXPECTED_TO_COMPLAIN = ("channels_redis",)


class Node:
    """A server's place: its name, its kind, its port, and the process that serves there just now."""

    def __init__(self, name: str, kind: ServerName, *, folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.kind = kind
        self.port = free_port()
        self.front = f"http://127.0.0.1:{self.port}"
        """Where clients go."""
        self.variables = dict(variables)
        self.server: Server | None = None
        self._folder = folder
        self._complaints: list[str] = []

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.server is not None and self.server.process.is_running

    def start(self) -> Server:
        """
        Start a server, which answers after its ``wait_until_up()``.

        Not on a thread that ends before the test: the kernel would take that for the end of us, and end the server.
        """
        variables = {**RAISED_LIMITS, **self.variables}
        self.server = Server(self.kind, folder=self._folder, variables=variables, port=self.port, waits=False)
        self.server.expected_to_complain = EXPECTED_TO_COMPLAIN
        return self.server

    def end(self, by: signal.Signals) -> int:
        """End its process, keep what it complained about, and return its exit code."""
        assert self.server is not None, f"{self.name} was never started"
        code = self.server.process.end(by)
        self._complaints.append(self.server.complaints())
        return code

    def complaints(self) -> str:
        """Return the tracebacks that its processes have written."""
        running = self.server.complaints() if self.is_up and self.server is not None else ""
        return "".join([*self._complaints, running])


class Cluster:
    """Nodes, and whose turn it is."""

    def __init__(
        self, kinds: Sequence[ServerName], *, history: History, folder: Path, variables: Mapping[str, str]
    ) -> None:
        self.nodes = [
            Node(f"s{number}-{kind}", kind, folder=folder, variables=variables)
            for number, kind in enumerate(kinds, start=1)
        ]
        self._history = history
        self._turns = count()
        self._killed: set[Node] = set()

    def next_node(self) -> Node:
        """Return the node whose turn it is, whether it is up or not: a client learns that by trying."""
        return self.nodes[next(self._turns) % len(self.nodes)]

    async def kill(self, node: Node) -> None:
        """End a node as a failing machine would; until it is back, whoever asked it may be without an answer."""
        self._history.note("fault", name="kill", phase="begin", server=node.name)
        await asyncio.to_thread(node.end, signal.SIGKILL)
        self._killed.add(node)

    async def stop(self, node: Node) -> int:
        """Tell a node to go, and return its exit code. The history calls it no fault: nothing may come of it."""
        return await asyncio.to_thread(node.end, signal.SIGTERM)

    async def bring_back(self, node: Node) -> None:
        """Start a node again, where it was."""
        await asyncio.to_thread(node.start().wait_until_up)
        if node in self._killed:
            self._killed.discard(node)
            self._history.note("fault", name="kill", phase="end", server=node.name)

    def complaints(self) -> str:
        """Return the tracebacks that all processes have written."""
        return "".join(node.complaints() for node in self.nodes)

    def __enter__(self) -> "Cluster":
        _at_once([node.start().wait_until_up for node in self.nodes])
        return self

    def __exit__(self, *_: object) -> None:
        _at_once([partial(node.end, signal.SIGTERM) for node in self.nodes if node.is_up])


def _at_once(actions: Sequence[Callable[[], object]]) -> None:
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(action) for action in actions]:
            done.result()
