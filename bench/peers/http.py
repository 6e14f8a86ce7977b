"""Publishing by HTTP: many requests on kept-alive connections, none of which waits for the answer to another."""

import re
import select
import socket
from collections.abc import Sequence

STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
SECONDS_TO_ANSWER = 60
# A status line that is cut in two is found once the rest is there: so many bytes of one can be without a match.
LONGEST_PART = len(b"HTTP/1.1 20")


class Refused(RuntimeError):
    """A peer did not take an event; the text has its status."""


class Connection:
    """One kept-alive connection. Answers are counted as they come, and only the last ``publish`` waits for none."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_TO_ANSWER)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._tail = b""

    def send(self, requests: bytes) -> None:
        """Send requests, reading the answers to earlier ones; raises ``Refused`` if one was not taken."""
        rest = memoryview(requests)
        while rest:
            self._read()
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                ready = select.select([self._socket], [self._socket], [], SECONDS_TO_ANSWER)
                if not any(ready):
                    raise Refused(f"an event was not read within {SECONDS_TO_ANSWER} s") from None

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                answers = self._socket.recv(65536)
            except BlockingIOError:
                return
            if not answers:
                raise Refused("the connection for publishing was closed by the other side")
            text = self._tail + answers
            end = 0
            for found in STATUS.finditer(text):
                end = found.end()
                if not found[1].startswith(b"2"):
                    raise Refused(f"publishing was answered with {found[1].decode()}; expected 2xx")
            self._tail = text[end:][-LONGEST_PART:]


class HttpPublisher:
    """
    Sends POST /<group> with an event each.

    Several connections are open, and a group always has the same one: its events keep their order. Requests follow each
    other without waiting for answers, which lets the peer read many at once.
    """

    def __init__(self, port: int, connections: int = 8) -> None:
        self._connections = [Connection(port) for _ in range(connections)]

    def publish(self, events: Sequence[tuple[int, bytes]]) -> None:
        """Publish a body for each (group, body); raises ``Refused`` if an earlier one was not taken."""
        requests: dict[int, list[bytes]] = {}
        for group, body in events:
            head = f"POST /{group} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            requests.setdefault(group % len(self._connections), []).append(head.encode() + body)
        for number, texts in requests.items():
            self._connections[number].send(b"".join(texts))

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()
