"""One HTTP connection under uvicorn."""

import asyncio
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from realtime.serving.answering import head_of, problem
from realtime.serving.heads import BadHead, Head, check, check_handshake, tells_two_lengths
from realtime.serving.leaving import LOOK_SECONDS
from realtime.serving.limits import Scope
from realtime.serving.listening import has_unread
from realtime.serving.uvicorn_socket import Socket, limits_of


class HttpConnection(H11Protocol):
    """An HTTP connection that has a deadline for the head of a request; uvicorn waits for it without end."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Idle after data means that a head has begun; uvicorn's own timer covers a connection that is kept alive.
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._expect_head()
        else:
            self._expect_nothing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Refuse two lengths; the parser makes one of them if they are equal."""
        if self.conn.their_state is h11.IDLE and tells_two_lengths(self.conn.trailing_data[0]):
            self._refuse(BadHead(400, "bad_request", "The header content-length is there twice; expected it once."))
        else:
            super().handle_events()

    @property
    def _head(self) -> Head:
        return head_of(cast("Scope", self.scope))

    def _should_upgrade(self) -> bool:
        """Tell a handshake as ``heads`` does; uvicorn looks at the last header of a name only."""
        return self._head.asks_for_websocket

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand on a handshake that nothing is wrong with; to some others the next in line would say nothing at all."""
        head = self._head
        try:
            check(head, limits_of(self))
            check_handshake(head)
        except BadHead as bad:
            self._refuse(bad)
            return
        self.headers = head.known_headers
        super().handle_websocket_upgrade(event)
        if came_along := self.conn.trailing_data[0]:
            cast("Socket", self.transport.get_protocol()).data_received(came_along)

    def send_400_response(self, msg: str) -> None:
        """Answer for what cannot be parsed; where an answer has begun, ending it is all that is left."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(BadHead(400, "bad_request", "This cannot be read; expected a request of HTTP/1.1."))
        else:
            self.transport.close()

    def _refuse(self, bad: BadHead) -> None:
        start, body = problem(bad.status, bad.code, bad.detail, bad.headers)
        answer: list[h11.Event] = [
            h11.Response(status_code=bad.status, headers=start["headers"], reason=STATUS_PHRASES[bad.status])
        ]
        # In any other state the request that the scope stands for is not the one that is refused.
        if self.conn.our_state is not h11.SEND_RESPONSE or self.scope["method"] != "HEAD":
            answer.append(h11.Data(data=body["body"]))
        answer.append(h11.EndOfMessage())
        self.transport.write(b"".join(self.conn.send(event) or b"" for event in answer))
        self.transport.close()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def tell_of_the_end(self) -> None:
        """
        Have the answer under way say what the server's headers say by now, that the connection will be closed.

        uvicorn makes a new list of them each second; a request keeps the one that there was when it came.
        """
        if self.cycle is not None:
            self.cycle.default_headers = self.server_state.default_headers

    def shutdown(self) -> None:
        """Close if idle; what has come and was not read yet is a request to be answered first."""
        connection = self.transport.get_extra_info("socket")
        if self.is_idle and not self.transport.is_closing() and has_unread(connection):
            self.loop.call_later(LOOK_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(limits_of(self).handshake_seconds, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
