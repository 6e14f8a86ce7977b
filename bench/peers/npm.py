"""What the peers from npm have in common: programs of ours in bench/peers/node/, on the Node that the project pins."""

from pathlib import Path

from bench.peers.peer import INSTALLED, SOURCES, HttpPeer, require
from bench.processes import Unavailable, free_port
from tools import node

PACKAGES = INSTALLED / "node"


class NodePeer(HttpPeer):
    """A program for Node with packages of npm."""

    program = ""
    flags: tuple[str, ...] = ()
    """Node's own."""

    def run_program(self, *arguments: str, core: int, folder: Path) -> None:
        """Run it on a free port, which is its first argument; it writes first what it is."""
        packages = PACKAGES / "node_modules"
        require(packages / "installed", self.name)
        try:
            program = node.programs() / "node"
        except node.NodeFailed as failure:
            raise Unavailable(f"{self.name}: {failure}") from None
        self.port = free_port()
        command: list[str | Path] = [
            program,
            *self.flags,
            SOURCES / "node" / self.program,
            str(self.port),
            *arguments,
        ]
        environment = {"NODE_PATH": str(packages), "NODE_ENV": "production"}
        self.version = self.run(command, core=core, folder=folder, environment=environment)
