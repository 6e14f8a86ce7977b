"""
A client by hand: bytes over a plain socket (RFC 6455, RFC 9112), so that it can do what no library's client would.

What becomes of a connection is told in a word or two: ``101``, ``400`` (HTTP statuses, of each answer in turn),
``4400`` (a close code), ``open`` (it still answers), ``dropped`` (ended without a word), ``silent`` (nothing came).
"""

import base64
import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

PATH = "/ws/user_notifications/"
PATIENCE = 20.0
"""Seconds until nothing more is expected. Long, since the machine may be busy; what must be quick is measured."""
BITE = 65_536
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
Header = tuple[str, str | bytes]


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    declared: int | None = None,
    width: int | None = None,
) -> bytes:
    """
    Return a frame, as wrong as it is asked to be.

    ``reserved`` are the three reserved bits as a number, ``declared`` is a length other than the payload's, ``width``
    (7, 16 or 64) spells the length in more bits than it needs.
    """
    length = len(payload) if declared is None else declared
    width = width or (7 if length < 126 else 16 if length < 2**16 else 64)
    first = (fin << 7) | (reserved << 4) | opcode
    if width == 7:
        head = struct.pack("!BB", first, masked << 7 | length)
    elif width == 16:
        head = struct.pack("!BBH", first, masked << 7 | 126, length)
    else:
        head = struct.pack("!BBQ", first, masked << 7 | 127, length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    whole = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return head + mask + whole.to_bytes(len(payload), "big")


def text(content: str | bytes, *, reserved: int = 0) -> bytes:
    """Return a text frame."""
    return frame(TEXT, content if isinstance(content, bytes) else content.encode(), reserved=reserved)


def said(**content: object) -> bytes:
    """Return a message of the protocol's in a frame."""
    return text(json.dumps(content))


def request(line: str, headers: Iterable[Header] = (), body: bytes = b"") -> bytes:
    """Return an HTTP request; nothing is added to it."""
    lines = [line.encode("latin-1")]
    lines += [name.encode("latin-1") + b": " + (_bytes(value)) for name, value in headers]
    return b"\r\n".join([*lines, b"", b""]) + body


def handshake_headers(token: str | None = None) -> list[Header]:
    """Return the headers of a good handshake."""
    headers: list[Header] = [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()),
    ]
    return headers if token is None else [*headers, ("Authorization", f"Bearer {token}")]


class Wire:
    """One connection to a server. ``source`` is the loopback address it comes from, such as 127.0.0.9."""

    def __init__(self, address: str, *, source: str | None = None, receive_buffer: int | None = None) -> None:
        parts = urlsplit(address)
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            self._socket.bind((source, 0))
        self._socket.settimeout(PATIENCE)
        try:
            self._socket.connect((parts.hostname, parts.port))
        except OSError:
            self._socket.close()
            raise
        self._buffer = bytearray()
        self.is_over = False

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the number of its file descriptor, for ``select``."""
        return self._socket.fileno()

    def send(self, data: bytes) -> bool:
        """Send in bites; stop, and return False, when the server ends the connection or takes no more."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view[:BITE]) :]
            except (ConnectionError, TimeoutError):
                return False
            if view and select.select([self._socket], [], [], 0)[0] and not self._more(PATIENCE):
                return False
        return True

    def _more(self, seconds: float) -> bool:
        """Take what has come, waiting at most so long; return whether there was anything."""
        if self.is_over:
            return False
        self._socket.settimeout(max(0.001, seconds))
        try:
            data = self._socket.recv(BITE)
        except TimeoutError:
            return False
        except ConnectionError:
            data = b""
        finally:
            self._socket.settimeout(PATIENCE)
        self.is_over = not data
        self._buffer += data
        return bool(data)

    # HTTP

    def answer(self, *, seconds: float = PATIENCE, head_only: bool = False) -> str:
        """Return the status of the next answer, and take its body; ``dropped`` or ``silent`` if there is none."""
        deadline = time.monotonic() + seconds
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._more(deadline - time.monotonic()):
                return "dropped" if self.is_over else "silent"
        self.head = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + 4]
        status = self.head.split()[1]
        self.body = b"" if head_only or status in ("101", "204", "304") else self._body(deadline)
        return status

    def answers(self, *, seconds: float = PATIENCE) -> str:
        """Return the statuses of all answers until the server ends the connection, and ``silent`` if it does not."""
        statuses = []
        while (status := self.answer(seconds=seconds)) != "dropped":
            statuses.append(status)
            if status in ("101", "silent"):
                break
        return " ".join(statuses) or "dropped"

    def header(self, name: str) -> str | None:
        """Return a header of the last answer."""
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name.lower():
                return value.strip()
        return None

    def _body(self, deadline: float) -> bytes:
        length = self.header("content-length")
        while self._more_of_body(length) and self._more(deadline - time.monotonic()):
            pass
        size = len(self._buffer) if length is None else int(length)
        if self.header("transfer-encoding") == "chunked":
            size = self._buffer.find(b"0\r\n\r\n") + 5
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    def _more_of_body(self, length: str | None) -> bool:
        if self.header("transfer-encoding") == "chunked":
            return b"0\r\n\r\n" not in self._buffer
        return length is None or len(self._buffer) < int(length)

    # WebSocket

    def open(self, token: str | None = None, *, path: str = PATH) -> str:
        """Do a good handshake; with a token, take frames up to ``synced``. Returns the status."""
        self.send(request(f"GET {path} HTTP/1.1", handshake_headers(token)))
        status = self.answer()
        if status == "101" and token is not None:
            for opcode, payload in self.frames():
                if opcode == TEXT and json.loads(payload)["type"] == "synced":
                    return status
            return "dropped" if self.is_over else "silent"
        return status

    def frames(self, *, seconds: float = PATIENCE) -> Iterator[tuple[int, bytes]]:
        """Yield the server's frames, as opcode and payload, until it ends the connection or nothing comes."""
        deadline = time.monotonic() + seconds
        while True:
            while (found := self._frame()) is None:
                if not self._more(deadline - time.monotonic()):
                    return
            yield found

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._buffer
        if len(data) < 2:
            return None
        length, start = data[1], 2
        if length in (126, 127):
            size = 2 if length == 126 else 8
            if len(data) < 2 + size:
                return None
            length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
        if len(data) < start + length:
            return None
        found = data[0] & 15, bytes(data[start : start + length])
        del data[: start + length]
        return found

    def verdict(self, *, seconds: float = PATIENCE) -> str:
        """Return what has become of the socket: a close code, ``dropped``, ``silent``, ``open`` after ``auth.ok``."""
        for opcode, payload in self.frames(seconds=seconds):
            if opcode == CLOSE:
                return str(int.from_bytes(payload[:2], "big")) if payload else "1005"
            if opcode == TEXT and json.loads(payload)["type"] == "auth.ok":
                return "open"
        return "dropped" if self.is_over else "silent"

    def ends(self) -> bool:
        """Return whether the server ends the connection, whatever else it sends first."""
        for _ in self.frames():
            pass
        return self.is_over

    def verdict_on(self, data: bytes, token: str, *, may_stay: bool) -> str:
        """
        Send this on an open socket and return what becomes of it.

        Where the socket may stay its token is then renewed, which is answered behind all that came before. Elsewhere
        that would be sent to a server that has closed already, whose last words it may cost (a reset).
        """
        if self.send(data) and may_stay:
            self.send(said(type="auth", token=token))
        return self.verdict()


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")
