"""One HTTP request under daphne."""

# ruff: noqa: N802, N815  (the names are Twisted's)

from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.web import http

from realtime.serving.answering import problem, too_large
from realtime.serving.daphne_gate import Gate
from realtime.serving.limits import Message


class Request(WebRequest):  # type: ignore[misc]
    """A request whose answer waits for its reader."""

    application_queue: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would parse forms here, on the event loop, for nobody: Django parses them.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self.gate = Gate()
        self._body_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a chunk of the body, unless there is too much: daphne hands the application a whole body at once."""
        self._body_bytes += len(data)
        if self._body_bytes <= self.server.limits.body_bytes:
            super().handleContentChunk(data)

    def process(self) -> Any:
        if self._body_bytes > self.server.limits.body_bytes:
            return self.basic_error(413, b"Content Too Large", too_large(self.server.limits))
        return super().process()

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
        """Answer with a problem, for what never reaches the application (daphne's own page names the server)."""
        for message in problem(status, status_text.decode().lower().replace(" ", "_"), body):
            self.handle_reply(message)


class Channel(http.HTTPChannel):
    """An HTTP connection that has a deadline for each request, where Twisted has one for each packet."""

    requestFactory = Request

    def resetTimeout(self) -> None:
        """Do nothing: one byte now and then must not keep a connection open."""

    def allHeadersReceived(self) -> None:
        """Allow the body the time that an answer may take."""
        super().allHeadersReceived()
        self.setTimeout(self.factory.server.limits.answer_seconds)

    def allContentReceived(self) -> None:
        """Go back to the deadline for a head, which is the next thing to come."""
        self.setTimeout(self.factory.timeOut)
        super().allContentReceived()


class RequestFactory(http.HTTPFactory):
    """Makes the connections of one server."""

    protocol = Channel  # type: ignore[assignment]

    def __init__(self, server: Server) -> None:
        super().__init__(timeout=server.limits.handshake_seconds)
        self.server = server

    def log(self, request: http.Request) -> None:
        """Write no access log: Twisted's holds query strings."""
