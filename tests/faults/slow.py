"""Readers that stop, or sip, until they are told to read on."""

import asyncio
import socket
from typing import Any

from tests.faults.cluster import Node
from tests.faults.crowd import Viewer

RECEIVE_BUFFER = 4096
SIP_SECONDS = 0.5


class Witness(Viewer):
    """A client that keeps what it was shown: whoever has less at the same time is behind."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shown: set[str] = set()
        """The ids of users."""

    def _take(self, frame: Any) -> None:
        super()._take(frame)
        if "data" in frame:
            self.shown.add(frame["data"]["id"])


class SlowViewer(Witness):
    """A client with a small buffer, which stops reading when ``stop`` is set; one of two takes a frame now and then."""

    stop: asyncio.Event
    """Set by the experiment, for all of them."""
    made = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        SlowViewer.made += 1
        self._sips = SlowViewer.made % 2 == 0

    async def before_reading(self) -> None:
        """Wait, while stopped: for ever, or for a while."""
        while self.stop.is_set():
            await asyncio.sleep(SIP_SECONDS)
            if self._sips:
                return

    async def options(self, node: Node) -> dict[str, Any]:
        """Return a connection whose small buffer lets the server feel that nobody reads."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", node.port))
        except OSError:
            connection.close()
            raise
        return {"sock": connection, "max_queue": 1}
