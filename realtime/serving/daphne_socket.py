"""One WebSocket under daphne."""

# ruff: noqa: FBT001, FBT002, N802, N803  (the names and the flags are Twisted's and Autobahn's)

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.web.http_headers import Headers

from realtime.limits import Bucket
from realtime.serving.answering import undecided
from realtime.serving.daphne_gate import Gate
from realtime.serving.heads import Head
from realtime.serving.limits import LINGER_SECONDS, TOO_MANY_CONTROL_FRAMES, Message, Scope

CLOSE_CODES = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}


class SocketGone(OSError):
    """The client, or an earlier close, has ended this socket."""


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """
    A WebSocket that keeps the promises of ASGI.

    Before accept its state is CONNECTING, after accept OPEN, after a close frame of ours CLOSING, after that CLOSED.
    """

    application_queue: Any = None
    head: Head
    is_gone = False
    _fragments = 0
    _control: Bucket | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.server = self.factory.server_class
        self.server.sockets.add(self)
        self.gate = Gate()
        # The HTTP connection still produces for this transport, and would stop reading pongs when the buffer is full.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.gate, True)

    def begin(self) -> None:
        """Have Autobahn shake hands. The head was judged already: it sees what it needs, and finds no fault."""
        lines = [
            b"GET / HTTP/1.1",
            b"Host: usher",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + b"".join(self.head.all(b"sec-websocket-key")),
        ]
        if offered := self.head.listed(b"sec-websocket-protocol"):
            lines.append(b"Sec-WebSocket-Protocol: " + b",".join(offered))
        self._raw_query_string = b""
        self.dataReceived(b"\r\n".join([*lines, b"", b""]))

    @property
    def asked(self) -> Scope:
        """The part of an application's scope that the client has asked for."""
        raw_path, _, query = self.head.target.partition(b"?")
        return {
            "path": unquote(raw_path.decode("ascii")),
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.head.known_headers,
            "subprotocols": [name.decode("ascii") for name in self.head.listed(b"sec-websocket-protocol")],
        }

    @property
    def past_send(self) -> dict[str, Any]:
        """What an application may do besides ``send``: the extension ``usher.transport``."""
        return {"abort": self.abort, "write": self.write, "when_written": self.when_written}

    # What the application does

    async def receive(self) -> Message:
        """Return the next message, and read on from the client when there was no other."""
        message: Message = await self.application_queue.get()
        if self.application_queue.empty():
            self.transport.resumeProducing()
        return message

    async def send(self, message: Message) -> None:
        """Send a message once there is room for it. Raises ``SocketGone`` when nobody will ever read it."""
        await self.gate.wait()
        if self.is_gone:
            raise SocketGone
        self.handle_reply(message)

    def write(self, frames: bytes) -> bool:
        """
        Hand frames to the kernel as they are; return whether it has taken them, so that there is room.

        Twisted's own ``write`` takes them to its next turn, and asks the kernel three times instead of once. So it
        gets what the kernel does not take, and all that comes behind something it still has; see ``when_written``.
        Raises ``SocketGone``.
        """
        if self.state != self.STATE_OPEN or self.is_gone:
            raise SocketGone
        transport = self.transport
        if not (transport.dataBuffer or transport._tempDataBuffer):  # noqa: SLF001  nothing tells that it has nothing
            try:
                frames = frames[transport.socket.send(frames) :]
                if not frames:
                    return True
            except OSError:
                pass  # no room, or nobody there: Twisted finds out, and ends the connection as it should be ended
        transport.write(frames)
        transport.producerPaused = True  # tells the gate when all is written out, however little it is
        return False

    def when_written(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called each time that Twisted has written out what it kept."""
        self.gate.tell_open = tell

    def abort(self) -> None:
        """Drop the connection at once, with all that waits to be written."""
        self.transport.abortConnection()

    def handle_reply(self, message: Message) -> None:
        is_open = self.state == self.STATE_OPEN
        match message["type"], is_open:
            case "websocket.accept", False:
                self._accept(message.get("subprotocol"), message.get("headers", ()))
            case "websocket.send", True:
                payload, opcode = (
                    (message["bytes"], 2) if message.get("bytes") is not None else (message["text"].encode(), 1)
                )
                # Not sendMessage: it holds what we send to the limit for what clients may send.
                self.sendFrame(opcode=opcode, payload=payload)
            case "websocket.close", True:
                self._close(message.get("code") or 1000, message.get("reason") or "")
            case "websocket.close", False:
                self._deny(403)
            case "websocket.http.response.start", False:
                self._denial = (message["status"], message.get("headers", ()), b"")
            case "websocket.http.response.body", False:
                status, headers, body = self._denial
                self._denial = (status, headers, body + message.get("body", b""))
                if not message.get("more_body"):
                    self._deny(*self._denial)
            case unexpected, _:
                raise ValueError(f"{unexpected} cannot be sent {'after' if is_open else 'before'} websocket.accept")

    def _accept(self, subprotocol: str | None, headers: Any) -> None:
        if subprotocol is not None and subprotocol not in self.websocket_protocols:
            raise ValueError(f"subprotocol is {subprotocol!r}; expected one of {self.websocket_protocols}")
        texts = {
            name.decode("latin-1"): [value.decode("latin-1") for value in values]
            for name, values in _safe(headers).getAllRawHeaders()
        }
        self.handshake_deferred.callback((subprotocol, texts))

    def _close(self, code: int, reason: str) -> None:
        if code not in CLOSE_CODES:
            raise ValueError(f"close code is {code}; expected 1000-1003, 1007-1014 or 3000-4999")
        self.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:123].decode(errors="ignore").encode())

    def _deny(self, status: int, headers: Any = (), body: bytes = b"") -> None:
        """Answer the handshake with an HTTP status, which nothing in daphne or Autobahn does with headers or a body."""
        kept = [(name, value) for name, value in headers if name.lower() not in (b"content-length", b"connection")]
        head = _safe([*kept, (b"content-length", b"%d" % len(body)), (b"connection", b"close")])
        lines = [b"HTTP/1.1 %d %s" % (status, _phrase(status))]
        lines += [name + b": " + value for name, values in head.getAllRawHeaders() for value in values]
        self.sendData(b"\r\n".join([*lines, b"", body]))
        self.dropConnection()

    def _turn_away(self) -> None:
        """Refuse for an application that has not decided on the handshake."""
        start, body = undecided()
        self._deny(start["status"], start["headers"], body["body"])

    def application_ended(self) -> None:
        """Close for an application that left without doing so itself; daphne would keep the socket open."""
        if self.state == self.STATE_CONNECTING:
            self._deny(500)
        else:
            self.sendCloseFrame(code=1011)

    # What the client and the clock do

    def dataReceived(self, data: bytes) -> None:
        """Keep what comes while the application decides; Autobahn would look for another handshake in it."""
        if self.state != self.STATE_CONNECTING or self.application_queue is None:
            super().dataReceived(data)
        elif len(self.data) + len(data) > self.maxMessagePayloadSize:
            self.abort()
        else:
            self.data += data

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Hand a message to the application, and read no further before it was received."""
        if not self.is_gone:
            super().onMessage(payload, isBinary)
            self.transport.pauseProducing()

    def onPing(self, payload: bytes) -> None:
        """
        Answer; while the buffer is full the latest alone, and later. Pongs that nobody reads would pile up.

        RFC 6455 allows that in section 5.5.3, and no silence.
        """
        if self._takes_control_frame():
            self.gate.when_open(partial(super().onPing, payload))

    def onPong(self, payload: bytes) -> None:
        if self._takes_control_frame():
            super().onPong(payload)

    def _takes_control_frame(self) -> bool:
        """Count a frame that no application hears of; close when there are too many, and return whether to go on."""
        if self.failedByMe:
            return False
        if self._control is None:
            self._control = Bucket(self.server.limits.control_rate)
        if self._control.take():
            return True
        self._fail_connection(1008, TOO_MANY_CONTROL_FRAMES)
        return False

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self._fragments = 0

    def onMessageFrameBegin(self, length: int) -> None:
        """Bound the fragments of a message: empty ones are nothing in its size, and something in memory."""
        super().onMessageFrameBegin(length)
        self._fragments += 1
        if not length and not self._takes_control_frame():
            return
        if self._fragments > self.server.limits.fragments and not self.failedByMe:
            self._max_message_size_exceeded(self._fragments, self.server.limits.fragments, "too many fragments")

    def onOpenHandshakeTimeout(self) -> None:
        """Refuse for an application that does not decide; the head of the request is always complete here."""
        self.openHandshakeTimeoutCall = None
        if self.state == self.STATE_CONNECTING:
            self._turn_away()

    # How it ends: every way leads through one of the next three, and the application hears of it once

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        was_open = self.state == self.STATE_OPEN
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if was_open and not isReply:
            self._tell(code, (reasonUtf8 or b"").decode())

    def _fail_connection(self, code: int = 1001, reason: str = "") -> None:
        """Close for what the client did wrong, and read no further: skipping the rest is work for nothing."""
        super()._fail_connection(code, reason)
        self.dropConnection()

    def dropConnection(self, abort: bool = False) -> None:
        super().dropConnection(abort)
        self._tell(self.remoteCloseCode, self.remoteCloseReason)
        if not abort:
            self.server.later(LINGER_SECONDS, self.abort)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.server.sockets.discard(self)
        self._tell(code, reason)

    def _tell(self, code: int | None, reason: str | None) -> None:
        if self.is_gone:
            return
        self.is_gone = True
        self.gate.stopProducing()
        self.transport.resumeProducing()  # the client's half of the closing handshake must be read
        if self.application_queue is not None:
            self.application_queue.put_nowait(
                {"type": "websocket.disconnect", "code": code or 1005, "reason": reason or ""}
            )
            self.server.protocol_disconnected(self)

    def leave(self) -> None:
        """Close on the way out; what the application has closed already is written out and dropped."""
        if self.state == self.STATE_CONNECTING:
            self._turn_away()
        else:
            self.sendCloseFrame(code=1012)
            self.dropConnection()
        self.server.later(LINGER_SECONDS, self.abort)


class SocketFactory(WebSocketFactory):  # type: ignore[misc]
    """Makes the sockets of one server."""

    protocol = Socket


def _safe(headers: Any) -> Headers:
    """Return headers that cannot end their line early."""
    safe = Headers()
    for name, value in headers:
        safe.addRawHeader(name, value)
    return safe


def _phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode() if status in set(HTTPStatus) else b""
