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
    """Publishes over one connection, at QoS 0: packet after packet, as the protocol means it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_TO_ANSWER)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(connect("publisher"))
        answer = self._socket.recv(len(CONNECTED), socket.MSG_WAITALL)
        if answer != CONNECTED:
            raise ConnectionError(f"the broker answered CONNECT with {answer!r}; expected {CONNECTED!r}")

    def publish(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Publish a payload for each (topic, payload)."""
        self._socket.sendall(b"".join(publish(topic, payload) for topic, payload in events))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


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
