"""
Serving with uvicorn: what is recommended for production.

uvicorn as it comes waits for half a request and for stuck applications without end, offers compression, and closes
every socket before the application could say goodbye. This sets what can be set and mends the rest.
"""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from realtime.serving.answering import answered
from realtime.serving.collector import spare_what_stays
from realtime.serving.huge_pages import HugePages
from realtime.serving.leaving import KEPT_ALIVE_SECONDS, Leaving, heed_no_more_signals
from realtime.serving.limits import DEFAULTS, Application, Drain, Limits, OnListening
from realtime.serving.listening import accepted, listen
from realtime.serving.memory import return_large_buffers
from realtime.serving.uvicorn_request import HttpConnection
from realtime.serving.uvicorn_socket import Socket


def run(
    *,
    application: Application,
    host: str,
    port: int,
    drain: Drain,
    on_listening: OnListening,
    limits: Limits = DEFAULTS,
) -> None:
    """
    Serve until SIGTERM or SIGINT; return when everything has ended.

    ``on_listening(host, port)`` is called once, with the real port. ``drain`` is awaited after the server has stopped
    listening and before anything is closed. Raises ``OSError`` when the address cannot be had.
    """
    config = Config(answered(application, limits), limits)
    return_large_buffers()
    spare_what_stays()
    HugePages().start()
    with listen(host, port, limits) as listening:
        Server(config, drain=drain, on_listening=on_listening).run(sockets=[listening])


class Config(uvicorn.Config):
    """uvicorn's settings, and our limits for the connections, which get nothing else to read."""

    def __init__(self, application: Application, limits: Limits) -> None:
        super().__init__(
            application,
            loop="asyncio",
            http=HttpConnection,
            ws=Socket,
            interface="asgi3",
            lifespan="off",
            backlog=limits.backlog,
            timeout_keep_alive=int(limits.handshake_seconds),
            ws_max_size=limits.message_bytes,
            ws_per_message_deflate=False,
            # The application has a heartbeat of its own, which proves that the client's program is alive too.
            ws_ping_interval=None,
            server_header=False,
            # Whose word to trust for an address is one decision for both servers, and the application's.
            proxy_headers=False,
            # Paths of sockets are logged with their query string at INFO, and frames, tokens among them, at DEBUG.
            log_config=None,
            log_level="warning",
            access_log=False,
        )
        self.limits = limits


class Server(uvicorn.Server):
    """A server that says goodbye before it closes."""

    def __init__(self, config: Config, *, drain: Drain, on_listening: OnListening) -> None:
        super().__init__(config)
        self.limits = config.limits
        self.drain = drain
        self.on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            address = listening.getsockname()
            self.on_listening(address[0], address[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, say goodbye, answer what was begun, then cancel what is left."""
        leaving = Leaving(self.limits)
        for listening in sockets or []:
            await accepted(listening)
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        for connection in self._http_connections:
            connection.tell_of_the_end()
        await leaving.drained(self.drain)
        await leaving.until(self._has_no_idle_connection, within=min(KEPT_ALIVE_SECONDS, leaving.seconds_left(keep=2)))
        self.config.timeout_graceful_shutdown = max(1, int(leaving.seconds_left(keep=1)))
        await super().shutdown(sockets)

    @property
    def _http_connections(self) -> list[HttpConnection]:
        return [c for c in self.server_state.connections if isinstance(c, HttpConnection)]

    def _has_no_idle_connection(self) -> bool:
        return not any(connection.is_idle for connection in self._http_connections)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals and keep them: raised again after a clean end, they would make it look like a crash."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
        heed_no_more_signals()
