"""One HTTP request under daphne."""

# ruff: noqa: N802, N815  (the names are Twisted's)

from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.web import http

from realtime.serving.answering import problem
from realtime.serving.daphne_gate import Gate
from realtime.serving.daphne_socket import Socket
from realtime.serving.heads import BadHead, Head, check, check_handshake, too_large
from realtime.serving.limits import Message
from realtime.serving.listening import has_unread


class Request(WebRequest):  # type: ignore[misc]
    """A request whose answer waits for its reader."""

    application_queue: Any = None

    transport: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would parse forms here, on the event loop, for nobody: Django parses them.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self.gate = Gate()
        self._body_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a chunk of the body, unless there is too much: daphne hands the application a whole body at once."""
        self._body_bytes += len(data)
        if not self.finished and self._body_bytes <= self.server.limits.body_bytes:
            super().handleContentChunk(data)

    def process(self) -> Any:
        if self.finished:
            return None
        if self._body_bytes > self.server.limits.body_bytes:
            return self.refuse(BadHead(413, "content_too_large", too_large(self.server.limits)))
        if (bad := self.fault) is not None:
            return self.refuse(bad)
        if self.head.asks_for_websocket:
            return self._become_socket(self.head)
        self.requestHeaders.removeHeader(b"upgrade")  # daphne would take less for a handshake
        return super().process()

    @property
    def fault(self) -> BadHead | None:
        """What is wrong with the head of this request."""
        try:
            check(self.head, self.server.limits)
            if self.head.asks_for_websocket:
                check_handshake(self.head)
        except BadHead as bad:
            return bad
        return None

    @property
    def head(self) -> Head:
        """What the client has asked for."""
        raw = self.requestHeaders.getAllRawHeaders()
        headers = [(name.lower(), value) for name, values in raw for value in values]
        return Head(self.method.decode("latin-1"), self.uri, self.clientproto.decode("latin-1")[5:], headers)

    def _become_socket(self, head: Head) -> None:
        """Hand the connection on to a WebSocket; daphne's own way puts the head through Autobahn's judgement."""
        socket = self.server.ws_factory.buildProtocol(self.transport.getPeer())
        socket.head = head
        transport, self.transport = self.transport, None
        transport.protocol = self.channel.socket = socket
        socket.makeConnection(transport)
        socket.begin()
        self.server.protocol_disconnected(self)
        transport.resumeProducing()  # the channel has it pause while a request is answered

    def refuse(self, bad: BadHead) -> None:
        """Answer for what never reaches the application."""
        for message in problem(bad.status, bad.code, bad.detail, bad.headers):
            self.handle_reply(message)

    @property
    def is_over(self) -> bool:
        return bool(self.finished or self._disconnected)

    async def receive(self) -> Message:
        message: Message = await self.application_queue.get()
        return message

    async def send(self, message: Message) -> None:
        """Send part of the answer, once there is room for it; after the client has gone, do nothing."""
        await self.gate.wait()
        if self.is_over:
            return
        Server.check_headers_type(message)
        self.handle_reply(message)

    def handle_reply(self, message: Message) -> None:
        super().handle_reply(message)
        if message["type"] == "http.response.start":
            self.registerProducer(self.gate, True)
            if self.server.is_leaving or (b"connection", b"close") in message.get("headers", ()):
                self.channel.persistent = False
                self.responseHeaders.setRawHeaders(b"connection", [b"close"])

    def finish(self) -> None:
        self.unregisterProducer()
        super().finish()

    def application_ended(self) -> None:
        """Answer for an application that left without doing so itself."""
        if self.is_over:
            return
        if not self._response_started:
            self.basic_error(500, b"Internal Server Error", "The application did not answer.")
        else:
            # Cutting the connection is the only way left to say that this answer is not whole.
            self.unregisterProducer()
            self.channel.loseConnection()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer with a problem; daphne's own page names the server."""
        self.refuse(BadHead(status, status_text.decode().lower().replace(" ", "_"), body))


class Channel(http.HTTPChannel):
    """An HTTP connection that has a deadline for each request, where Twisted has one for each packet."""

    requestFactory = Request
    socket: Socket | None = None
    """The WebSocket that this connection has become."""

    def rawDataReceived(self, data: bytes) -> None:
        """Hand on what came in one packet with a handshake; what comes later does not come here."""
        if self.socket is None:
            super().rawDataReceived(data)
        else:
            self.socket.dataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer; Twisted drops the connection."""
        transport: Any = self.transport
        transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n")
        self.loseConnection()

    def resetTimeout(self) -> None:
        """Do nothing: one byte now and then must not keep a connection open."""

    def allHeadersReceived(self) -> None:
        """Allow the body the time that an answer may take, unless the head alone is refused."""
        super().allHeadersReceived()
        self.setTimeout(self.factory.server.limits.answer_seconds)
        if self.length != 0:
            request = self.requests[-1]
            request.method, request.uri, request.clientproto = self._command, self._path, self._version
            if (bad := request.fault) is not None:
                request.refuse(bad)

    def allContentReceived(self) -> None:
        """Go back to the deadline for a head, which is the next thing to come; what was refused needs no more."""
        self.setTimeout(self.factory.timeOut)
        if self.requests:
            super().allContentReceived()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way: none whose head is complete."""
        return not any(request.content is not None for request in self.requests)

    @property
    def has_unread(self) -> bool:
        """Whether something has come that was not read yet."""
        transport: Any = self.transport
        return has_unread(transport.socket)


def open_channels(reactor: Any) -> list[Channel]:
    """Return the HTTP connections that are read from: a WebSocket's transport has another protocol."""
    protocols = (getattr(transport, "protocol", None) for transport in reactor.getReaders())
    return [protocol for protocol in protocols if isinstance(protocol, Channel)]


class RequestFactory(http.HTTPFactory):
    """Makes the connections of one server."""

    protocol = Channel  # type: ignore[assignment]

    def __init__(self, server: Server) -> None:
        super().__init__(timeout=server.limits.handshake_seconds)
        self.server = server

    def log(self, request: http.Request) -> None:
        """Write no access log: Twisted's holds query strings."""
