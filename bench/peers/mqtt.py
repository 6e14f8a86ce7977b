"""The four packets of MQTT 3.1.1 that a benchmark needs (OASIS standard, chapter 3), and publishing by them."""

import socket
from collections.abc import Sequence

CONNECT, PUBLISH, SUBSCRIBE = 0x10, 0x30, 0x82
CLEAN_SESSION = 0x02
SUBSCRIBED = b"\x90\x03\x00\x01\x00"
"""SUBACK for packet 1, whose one topic was granted at QoS 0."""
CONNECTED = b"\x20\x02\x00\x00"
"""CONNACK: accepted, and no session was present."""
SECONDS_TO_ANSWER = 60


def connect(client: str) -> bytes:
    """Return CONNECT for a client of that id, which must be its own; no keep-alive, so that idle clients stay."""
    return _packet(CONNECT, _text("MQTT"), bytes((4, CLEAN_SESSION, 0, 0)), _text(client))


def subscribe(topic: str) -> bytes:
    """Return SUBSCRIBE, as packet 1, for one topic at QoS 0."""
    return _packet(SUBSCRIBE, b"\x00\x01", _text(topic), b"\x00")


def publish(topic: str, payload: bytes) -> bytes:
    """Return PUBLISH at QoS 0, which is not answered."""
    return _packet(PUBLISH, _text(topic), payload)


class MqttPublisher:
    """
    Publishes at QoS 0, packet after packet, over several connections; a group always has the same one.

    Mosquitto reads one packet of a plain connection and then looks at every WebSocket that it has, and so on. Where
    many connections bring packets, it reads one of each first: with 5,000 sockets that is a seventh of the work.
    """

    def __init__(self, port: int, connections: int = 64) -> None:
        self._sockets = [_connected(port, f"publisher {number}") for number in range(connections)]

    def publish(self, events: Sequence[tuple[int, bytes]]) -> None:
        """Send a packet for each (group, packet)."""
        packets: dict[int, list[bytes]] = {}
        for group, packet in events:
            packets.setdefault(group % len(self._sockets), []).append(packet)
        for number, parts in packets.items():
            self._sockets[number].sendall(b"".join(parts))

    def close(self) -> None:
        """Close the connections."""
        for connection in self._sockets:
            connection.close()


def _connected(port: int, client: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_TO_ANSWER)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(connect(client))
    answer = connection.recv(len(CONNECTED), socket.MSG_WAITALL)
    if answer != CONNECTED:
        raise ConnectionError(f"the broker answered CONNECT with {answer!r}; expected {CONNECTED!r}")
    return connection


def _packet(kind: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length, rest = bytearray(), len(body)
    while True:
        rest, seven = divmod(rest, 128)
        length.append(seven | (128 if rest else 0))
        if not rest:
            return bytes((kind, *length)) + body


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()
