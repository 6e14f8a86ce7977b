"""
Serving with daphne: Python alone, what ``make run`` starts.

daphne as it comes buffers without bound for a reader that takes nothing, drops close reasons, leaves a refused
handshake without an answer and drops every socket on SIGTERM. It is used here for what it does well, speaking HTTP and
WebSocket on Twisted; how its connections meet the application is ours.
"""

# Importing daphne's server first installs the reactor that runs on asyncio's loop.
from daphne.server import Server as DaphneServer  # isort: skip

import asyncio
import logging
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)
from twisted.python.failure import Failure

from realtime.serving.answering import answered
from realtime.serving.collector import spare_what_stays
from realtime.serving.daphne_request import Request, RequestFactory, open_channels
from realtime.serving.daphne_socket import Socket, SocketFactory, SocketGone
from realtime.serving.huge_pages import HugePages
from realtime.serving.lean import Mailbox
from realtime.serving.leaving import KEPT_ALIVE_SECONDS, Leaving, heed_no_more_signals
from realtime.serving.limits import DEFAULTS, Application, Drain, Limits, OnListening, Scope
from realtime.serving.listening import accepted, listen
from realtime.serving.memory import return_large_buffers

logger = logging.getLogger(__name__)
reactor: Any = installed_reactor  # what it can do depends on which one is installed; its type knows the least of them


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
    return_large_buffers()
    spare_what_stays()
    HugePages().start()
    Server(application, drain=drain, limits=limits).serve(host, port, on_listening)
    heed_no_more_signals()


class Server(DaphneServer):  # type: ignore[misc]
    """Stands between daphne's connections, which call most of its methods, and the application."""

    def __init__(self, application: Application, *, drain: Drain, limits: Limits) -> None:
        super().__init__(
            answered(application, limits),
            endpoints=["the socket that serve() opens"],
            server_name="",
        )
        self.drain = drain
        self.limits = limits
        self.is_leaving = False
        self.tasks: dict[Request | Socket, asyncio.Task[None]] = {}
        self.sockets: set[Socket] = set()

    def serve(self, host: str, port: int, on_listening: OnListening) -> None:
        self.ws_factory = SocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            webStatus=False,
            allowNullOrigin=True,  # whose origin may connect is the application's to say
            failByDrop=False,  # a close code tells a client what it did wrong
            echoCloseCodeReason=True,
            openHandshakeTimeout=self.limits.handshake_seconds,
            closeHandshakeTimeout=self.limits.handshake_seconds,
            maxMessagePayloadSize=self.limits.message_bytes,
            maxFramePayloadSize=self.limits.message_bytes,
        )
        errors_only: Any = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
        standard: Any = STDLibLogObserver(__name__)
        observer: Any = FilteringLogObserver(standard, [errors_only])
        globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)
        with listen(host, port, self.limits) as listening:
            adopted = reactor.adoptStreamPort(listening.fileno(), listening.family, RequestFactory(self))
            address = listening.getsockname()
        reactor.addSystemEventTrigger("before", "shutdown", self._leave_for_twisted, adopted)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: reactor.callFromThread(self.stop))
        on_listening(address[0], address[1])
        reactor.run(installSignalHandlers=False)

    # What daphne's connections call

    def protocol_connected(self, protocol: Request | Socket) -> None:
        """Do nothing: a connection matters here once it has an application."""

    def create_application(self, protocol: Request | Socket, scope: Scope) -> Mailbox[Any]:
        """Start the application for a connection and return the queue of what it receives."""
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
        scope["root_path"] = self.root_path  # daphne lets any client set it with a header
        if isinstance(protocol, Socket):
            scope.update(protocol.asked)
            scope["scheme"] = "ws"
            scope["extensions"] = {"websocket.http.response": {}, "usher.transport": protocol.past_send}
        task = asyncio.get_running_loop().create_task(self.application(scope, protocol.receive, protocol.send))
        self.tasks[protocol] = task
        task.add_done_callback(partial(self._application_ended, protocol))
        return Mailbox()

    def protocol_disconnected(self, protocol: Request | Socket) -> None:
        """Give the application of a connection that is over some time to end, then end it."""
        task = self.tasks.get(protocol)
        if task is not None:
            timer = self.later(self.application_close_timeout, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())

    def _application_ended(self, protocol: Request | Socket, task: asyncio.Task[None]) -> None:
        del self.tasks[protocol]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SocketGone):
            logger.error("the application failed", exc_info=error)
        protocol.application_ended()

    def later(self, seconds: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)

    # The way out

    def stop(self) -> None:
        """Begin to leave; Twisted's own handler fails when a second signal comes."""
        if not self.is_leaving:
            self.is_leaving = True
            reactor.stop()

    def _leave_for_twisted(self, listening: Any) -> "Deferred[None]":
        return Deferred.fromFuture(asyncio.ensure_future(self._leave(listening)))

    async def _leave(self, listening: Any) -> None:
        """Stop listening, say goodbye, answer what was begun, then cancel what is left. Twisted waits for it."""
        leaving = Leaving(self.limits)
        await accepted(listening.socket)
        listening.connectionLost(Failure(ConnectionDone()))  # stopListening() would close it a turn later
        await leaving.drained(self.drain)
        await leaving.until(
            lambda: not any(channel.is_idle for channel in open_channels(reactor)),
            within=min(KEPT_ALIVE_SECONDS, leaving.seconds_left(keep=2)),
        )
        for socket in list(self.sockets):
            socket.leave()
        await leaving.until(
            lambda: (
                not self.tasks and all(channel.is_idle and not channel.has_unread for channel in open_channels(reactor))
            ),
            within=leaving.seconds_left(keep=1),
        )
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest, timeout=leaving.seconds_left(keep=0.5))
        # Twisted drops its connections next, with whatever their buffers still hold.
        while reactor.getWriters() and leaving.seconds_left(keep=0.2):  # noqa: ASYNC110  nothing tells when it is done
            await asyncio.sleep(0.02)
