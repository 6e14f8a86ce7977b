"""Socket.IO of npm, alone and behind its Redis adapter."""

from pathlib import Path

from bench.peers.npm import NodePeer
from bench.processes import pinned_to
from bench.systems import Opening
from tests.services.redis import RedisServer


class SocketIO(NodePeer):
    """bench/peers/node/socketio.js."""

    name = "Socket.IO"
    program = "socketio.js"
    # Its handshakes leave much garbage, and Node 24 lets that grow: 22 KB for each idle socket, and 14 with little room
    # for it. Deliveries cost the same with 4 as with 64.
    flags = ("--max-semi-space-size=4",)

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it."""
        self.run_program(core=core, folder=folder)

    def opening(self, group: int, number: int) -> Opening:
        """Return the handshakes of engine.io 4 and Socket.IO 5; the server joins the room before it answers "40"."""
        return Opening(
            path="/socket.io/?EIO=4&transport=websocket",
            says=(b'40{"group":"%d"}' % group,),
            ready=b'40{"sid"',
            pong=(b"2", b"3"),
        )


class SocketIOWithRedis(SocketIO):
    """The same behind its Redis adapter, as more than one process would need it; Redis is on the other core."""

    name = "Socket.IO, Redis"

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start Redis and then the program."""
        with pinned_to(other):
            redis = RedisServer()
        self._ends.callback(redis.stop)
        self.run_program(redis.url, core=core, folder=folder)
        self.beside = (redis.process.pid,)
