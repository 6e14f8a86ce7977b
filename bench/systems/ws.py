"""ws, the WebSocket library of npm, with the smallest notification server around it."""

from pathlib import Path

from bench.peers.npm import NodePeer
from bench.systems import Opening


class Ws(NodePeer):
    """bench/peers/node/ws.js."""

    name = "ws"
    program = "ws.js"
    # What a broadcast makes is garbage at its end; with room for it, V8 need not copy it: a tenth less work for ws.
    flags = ("--max-semi-space-size=64",)

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it."""
        self.run_program(core=core, folder=folder)

    def opening(self, group: int, number: int) -> Opening:
        """Return the handshake that names the group; the socket is in it when it is open."""
        return Opening(path=f"/{group}")
