"""Centrifuge, the library of Go under Centrifugo, with the smallest notification server around it."""

from pathlib import Path

from bench.peers.peer import INSTALLED, HttpPeer
from bench.processes import free_port
from bench.systems import Opening

PROGRAM = INSTALLED / "centrifuge"


class Centrifuge(HttpPeer):
    """bench/peers/centrifuge/main.go, in Centrifuge's JSON protocol."""

    name = "Centrifuge"

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it."""
        self.port = free_port()
        # One thread runs Go code, as one core would have it; more would only take turns on it.
        environment = {"GOMAXPROCS": "1"}
        self.version = self.run([PROGRAM, str(self.port)], core=core, folder=folder, environment=environment)

    def opening(self, group: int, number: int) -> Opening:
        """Return the handshake that names the group, and the first command, whose answer has the subscription in it."""
        return Opening(path=f"/hear/{group}", says=(b'{"id":1}',), ready=b'"id":1')
