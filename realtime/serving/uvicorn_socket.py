"""One WebSocket under uvicorn."""

import asyncio
import socket
import struct
from asyncio.selector_events import _SelectorSocketTransport  # type: ignore[attr-defined]
from collections.abc import Callable, Coroutine
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from realtime.framing import header_of
from realtime.limits import Bucket
from realtime.serving.answering import undecided
from realtime.serving.lean import DONE, Mailbox, Signal
from realtime.serving.limits import FULL_BYTES, LINGER_SECONDS, TOO_MANY_CONTROL_FRAMES, Limits

PONG = bytes([0x80 | Opcode.PONG])
"""How each of them begins: it is whole, as control frames are."""


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that the application can abort, and that ends with 1011 when the application fails or leaves."""

    __slots__ = (
        # uvicorn's. In a dict, so many take 1.6 KB; what is not named here still finds its place in one.
        *("app", "app_state", "asgi_version", "client", "close_timeout", "close_timer", "config", "conn"),
        *("connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete"),
        *("handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload"),
        *("ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused"),
        *("request", "response", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable"),
        # Ours.
        *("_came_early", "_close_sent", "_control", "_deciding", "_end_straight", "_has_room", "_kernel"),
        *("_late_pong", "_lingering", "_tell_written"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._end_straight: Callable[[], None] | None = None
        self._kernel: Callable[[bytes], int] | None = None
        """The kernel's own send, while the transport keeps nothing and no close is on its way."""
        super().__init__(*args, **kwargs)
        self.queue = cast("Any", Mailbox())
        self.writable = cast("Any", Signal())
        self.writable.set()
        self._came_early = b""
        self._deciding: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._control: Bucket | None = None
        self._has_room = True
        self._late_pong = b""
        self._tell_written: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and let nothing out before what the transport has kept of answers to earlier requests."""
        super().connection_made(transport)
        if type(transport) is _SelectorSocketTransport and transport.get_write_buffer_size():
            # It has told the connection before this one that it is full, or has not, and will tell us of room alone.
            transport.set_write_buffer_limits(high=0)
            self.pause_writing()

    def data_received(self, data: bytes) -> None:
        """Keep what comes while the application decides; uvicorn would answer it before the handshake."""
        if not self.handshake_initiated or self.handshake_complete:
            super().data_received(data)
            if self.conn.handshake_exc is not None and not self.handshake_complete:
                # A head that the parser refuses after all: uvicorn would let it wait without end.
                self.handshake_complete = True
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.transport.close()
        elif len(self._came_early) + len(data) > limits_of(self).message_bytes:
            self.abort()
        else:
            self._came_early += data
        self._linger()

    def write(self, frames: bytes) -> bool:
        """
        Hand frames to the transport as they are; return whether the kernel has taken them, so that there is room.

        What it has not taken the transport keeps; see ``when_written``. Raises ``ClientDisconnected``.
        """
        kernel = self._kernel
        if kernel is not None:
            self._put(kernel, frames)
        elif self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        else:
            self.transport.write(frames)
        return self._has_room

    def _put(self, kernel: Callable[[bytes], int], frames: bytes) -> None:
        """Do what the transport would do, in a fifth of its steps; it gets what the kernel does not take."""
        try:
            taken = kernel(frames)
        except OSError:  # no room, or nobody there: the transport will find out
            taken = 0
        if taken != len(frames):
            self.transport.write(frames[taken:])

    def when_written(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called each time that the transport has written out what it kept."""
        self._tell_written = tell

    def straight(self, ended: Callable[[], None]) -> Callable[[bytes], int] | None:
        """
        Return the kernel's own send, past the transport; None if that keeps something, closes, or is no plain socket.

        Calls ``ended`` when nothing may go past the transport any more: it keeps something, or is about to close; of a
        peer that just vanishes it hears one turn later.
        """
        if self._kernel is not None:
            self._end_straight = ended
        return self._kernel

    def _go_straight(self) -> None:
        """Have what is ready for the wire go past the transport, if that keeps nothing and no close is on its way."""
        if (
            type(self.transport) is _SelectorSocketTransport
            and not self.transport.get_write_buffer_size()
            and not self.transport.is_closing()
            and self.conn.state is State.OPEN  # no close was sent, and none has come
            and not self.conn.extensions
        ):
            plain = cast("Any", self.transport)
            self._kernel = plain._sock.send  # noqa: SLF001  what it gives away takes no bytes

    def _go_around(self) -> None:
        self._kernel = None
        if self._end_straight is not None:
            self._end_straight()
            self._end_straight = None

    @property
    def close_sent(self) -> bool:
        """Whether our close is on its way. uvicorn sets it, wherever it closes with a code."""
        return self._close_sent

    @close_sent.setter
    def close_sent(self, value: bool) -> None:
        self._close_sent = value
        if value:
            self._go_around()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._has_room = False
        self._go_around()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._has_room = True
        if self._late_pong:
            self._answer_late()
        self._go_straight()
        if self._has_room and self._tell_written is not None:  # the pong may have taken it
            self._tell_written()

    def send(self, message: ASGISendEvent) -> Coroutine[Any, Any, None]:
        """
        Send a message. A text, of which there are many, is handed on at once where nothing has to be waited for.

        That is what the base class does with it, past the library's objects for frames: three times the work.
        """
        if message["type"] != "websocket.send":
            return self._send(message)
        kernel, text = self._kernel, message.get("text")
        if kernel is None or text is None or message.get("bytes") is not None:
            return super().send(message)
        data = text.encode()
        self._put(kernel, header_of(len(data)) + data)
        return DONE

    async def _send(self, message: ASGISendEvent) -> None:
        """Send a message; once the application has accepted, read what came before."""
        await super().send(message)
        if self.handshake_complete:
            self._decided()
        if message["type"] == "websocket.accept" and type(self.transport) is _SelectorSocketTransport:
            # The first byte that the kernel does not take makes it full, and the last makes it writable again. Not over
            # TLS: asyncio takes a limit of nothing to be reached by nothing there.
            self.transport.set_write_buffer_limits(high=0)
            self._go_straight()
        if message["type"] == "websocket.close" and self.close_timer is not None:
            # Who does not answer our close is dropped; uvicorn would go on waiting for it to take what is written.
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.abort)
        if self._came_early and self.handshake_complete:
            early, self._came_early = self._came_early, b""
            if not self.close_sent:
                self.data_received(early)
        self._linger()

    def handle_cont(self, event: Frame) -> None:
        """Bound the fragments of a message: empty ones are nothing in its size, and something in memory."""
        if self.close_sent or not (event.data or self._takes_control_frame()):
            return
        if len(self.frames) >= limits_of(self).fragments:
            self._fail(1009, "too many fragments")
            return
        super().handle_cont(event)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:  # complete already: refused as no valid handshake, and there is no application
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions["usher.transport"] = {
                "abort": self.abort,
                "write": self.write,
                "when_written": self.when_written,
                "straight": self.straight,
            }
            self._deciding = self.loop.call_later(limits_of(self).handshake_seconds, self._turn_away)

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell_written = None  # it holds what writes here
        self._go_around()
        self._decided()
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        super().connection_lost(exc)

    def abort(self) -> None:
        """Drop the connection at once, with all that waits to be written, in the kernel too."""
        self._go_around()
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() != -1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _linger(self) -> None:
        """Drop a connection that is being closed and whose client does not take its last bytes."""
        if self.transport.is_closing() and self in self.connections and self._lingering is None:
            self._lingering = self.loop.call_later(LINGER_SECONDS, self.abort)

    def _turn_away(self) -> None:
        """Refuse for an application that has not decided on the handshake."""
        if self.initial_response is None and not self.handshake_complete and not self.transport.is_closing():
            start, body = undecided()
            status = start["status"]
            headers = Headers((name.decode(), value.decode()) for name, value in start["headers"])
            self.conn.send_response(Response(status, STATUS_PHRASES[status].decode(), headers, body["body"]))
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self._linger()

    def send_500_response(self) -> None:
        """Say so unless another answer was given already; the library allows one."""
        if not self.transport.is_closing():
            super().send_500_response()

    def _decided(self) -> None:
        """
        Let go of what belongs to the handshake: a timer and two heads.

        The timer would keep a socket in memory that came and went, with all that it had read; and nobody reads the
        heads any more, one of which has a token in it.
        """
        if self._deciding is not None:
            self._deciding.cancel()
            self._deciding = None
            self.request.headers.clear()
            self.response.headers.clear()

    def handle_ping(self) -> None:
        """
        Answer; while much waits to be written the latest alone, and later. Pongs that nobody reads would pile up.

        RFC 6455 allows that in section 5.5.3, and no silence.
        """
        if not self._takes_control_frame():
            return
        if self.transport.get_write_buffer_size() <= FULL_BYTES:
            self._late_pong = b""  # this one is the latest
            super().handle_ping()
            return
        for frame in self.conn.data_to_send():  # for all of the packet: other pings, and a close behind them
            if frame[:1] == PONG:
                self._late_pong = frame
            else:
                self.transport.write(frame)

    def _answer_late(self) -> None:
        pong, self._late_pong = self._late_pong, b""
        if self.conn.state is State.OPEN and not self.transport.is_closing():
            self.transport.write(pong)

    def handle_pong(self, event: Frame) -> None:
        if self._takes_control_frame():
            super().handle_pong(event)

    def _takes_control_frame(self) -> bool:
        """Count a frame that no application hears of; close when there are too many, and return whether to go on."""
        if self.transport.is_closing():
            return False
        if self._control is None:
            self._control = Bucket(limits_of(self).control_rate)
        if self._control.take():
            return True
        if self.close_sent:
            self.abort()  # our close is on its way already, and its answer is not what comes
        else:
            self._fail(1008, TOO_MANY_CONTROL_FRAMES)
        return False

    def send_receive_event_to_app(self) -> None:
        """
        Hand on a message. Text that is none closes, without a traceback: that is the client's mistake.

        Nothing is read behind it when another one is waiting already. uvicorn stops reading for each, and begins again
        when the application has taken it: two calls of the kernel for an answer to a ping.
        """
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return  # the application has closed, and hears no more
        if self.curr_msg_data_type == "text":
            try:
                message: dict[str, Any] = {"type": "websocket.receive", "text": data.decode()}
            except UnicodeDecodeError:
                self._fail(1007, "")
                return
        else:
            message = {"type": "websocket.receive", "bytes": data}
        is_waiting = not self.queue.empty()
        self.queue.put_nowait(cast("Any", message))
        if is_waiting and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _fail(self, code: int, reason: str) -> None:
        """
        Close for what the client did wrong, and read no further.

        The library has parsed the whole packet before it hands out its first frame: it may have closed already.
        """
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def handle_close(self, event: Frame) -> None:
        """Let a ``send`` that waits for room learn that nobody will read it."""
        self._go_around()
        super().handle_close(event)
        self.writable.set()

    def handle_parser_exception(self) -> None:
        """Let a ``send`` learn of a client's mistake like of its going; uvicorn would call it the application's."""
        super().handle_parser_exception()
        self.disconnected = True
        self.writable.set()

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            self.logger.exception("the application failed")
        finally:
            self._application_ended()

    def _application_ended(self) -> None:
        """Close for an application that left without doing so itself; uvicorn would drop the connection."""
        self._go_around()
        if not self.handshake_complete:
            self.send_500_response()
        elif self.conn.state is State.OPEN and not self.transport.is_closing():
            self.conn.send_close(1011)
            self.transport.write(b"".join(self.conn.data_to_send()))
        if self.close_timer is None:
            self.transport.close()
        self._linger()

    def shutdown(self) -> None:
        """Close on the way out; a client that takes nothing must not hold it up."""
        self._go_around()
        if not self.handshake_complete:
            self._turn_away()
        elif self.conn.state is State.OPEN:
            super().shutdown()
        self.transport.close()
        self._linger()


def limits_of(protocol: asyncio.Protocol) -> Limits:
    """Return the limits of the server whose connection this is."""
    return cast("Limits", protocol.config.limits)  # type: ignore[attr-defined]
