"""
What a benchmark asks of a system: to start, to say how a socket is opened, to publish, to end.

A system under test is started on one core; its clients, its publisher and the services that it uses run on the other.
All of it is on 127.0.0.1, and every process is started by us and ended by its id, within bounded time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PAYLOAD_BYTES = 464
"""
The JSON of one event for systems that send what they are given: as long as the median of what Usher sends at K = 4,
whose four frames have 413, 452, 475 and 515 bytes.
"""
MARKER_BYTES = 31


def payload_of(marker: str) -> bytes:
    """Return an event of ``PAYLOAD_BYTES`` bytes of JSON with the marker in it, for who has no event of its own."""
    head = '{"type":"user_created","message":"New user created: newcomer","at":"2026-11-23T09:30:12.401837Z","marker":"'
    tail = '","data":"%s"}'
    filling = "x" * (PAYLOAD_BYTES - len(head) - len(marker) - len(tail) + 2)
    return (head + marker + tail % filling).encode()


@dataclass(frozen=True, slots=True)
class Opening:
    """How a client opens one socket and comes into its group."""

    path: str
    """Of the WebSocket's handshake, query included."""
    headers: tuple[tuple[str, str], ...] = ()
    """Besides those that every handshake has."""
    says: tuple[bytes, ...] = ()
    """Payloads of the frames that the client sends then, in order."""
    is_binary: bool = False
    """Whether those are binary frames."""
    ready: bytes = b""
    """The socket listens once a frame contained this; empty: once it is open."""
    pong: tuple[bytes, bytes] | None = None
    """Answer a frame that begins with the first by the second (engine.io: "2" by "3")."""


class System(Protocol):
    """
    A system under test.

    A marker is ``@t<19 digits: CLOCK_MONOTONIC in ns>#<8 digits: the event's number>@``, and stands exactly once in
    what each socket of the event's group is sent. The load client finds it whatever the framing around it.
    """

    name: str
    """One word or a few, as in the tables: "Socket.IO", "nchan", "Usher, uvicorn, lane"."""
    port: int

    @property
    def pids(self) -> Sequence[int]:
        """The processes whose CPU time and memory are the system's, with all their threads."""

    @property
    def beside(self) -> Sequence[int]:
        """Helpers on the other core (Redis, PostgreSQL), which have a column of their own."""

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """
        Start it on ``core`` (its helpers on ``other``) and return when it accepts sockets; ``folder`` is its own.

        There will be ``each`` sockets in each of so many groups. Raises ``bench.processes.Unavailable`` when something
        is not installed, with the remedy.
        """

    def opening(self, group: int, number: int) -> Opening:
        """Return how the socket of that number, of 0 … each - 1, comes into that group, of 0 … groups - 1."""

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Publish one event for each (group, marker); called in the driver's process, on the other core."""

    def stop(self) -> None:
        """End what ``start`` started, by its id; also when ``start`` failed half-way, and once more than needed."""
