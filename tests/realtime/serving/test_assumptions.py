"""
What we take for granted of daphne, Twisted, Autobahn and uvicorn, beyond what they promise.

The other tests here show that it works; these say what is missing when a new version of one of them changes.
"""

import asyncio
import contextlib
import inspect
import re
import socket
from asyncio.selector_events import _SelectorSocketTransport
from unittest.mock import Mock

import daphne.http_protocol
import daphne.ws_protocol
import pytest
from twisted.internet.abstract import FileDescriptor
from uvicorn.server import ServerState

from realtime.serving import daphne as on_daphne
from realtime.serving import daphne_request, daphne_socket, uvicorn_request, uvicorn_socket
from realtime.serving import uvicorn as on_uvicorn
from realtime.serving.daphne_gate import Gate
from realtime.serving.limits import Limits

OURS_ALONE = {
    on_daphne.Server: {"serve", "later", "_application_ended", "_leave", "_leave_for_twisted"},
    daphne_request.Request: {
        "is_over",
        "receive",
        "send",
        "application_ended",
        "fault",
        "head",
        "refuse",
        "_become_socket",
    },
    daphne_request.Channel: {"is_idle", "has_unread"},
    daphne_request.RequestFactory: set(),
    daphne_socket.Socket: {
        "receive",
        "send",
        "abort",
        "application_ended",
        "leave",
        "begin",
        "asked",
        "_accept",
        "_close",
        "_deny",
        "_takes_control_frame",
        "_tell",
        "_turn_away",
        "past_send",
        "when_written",
        "write",
    },
    on_uvicorn.Server: {"_has_no_idle_connection", "_http_connections"},
    uvicorn_request.HttpConnection: {
        "is_idle",
        "_expect_head",
        "_expect_nothing",
        "_head",
        "_refuse",
        "tell_of_the_end",
    },
    uvicorn_socket.Socket: {
        "abort",
        "_answer_late",
        "_application_ended",
        "_decided",
        "_fail",
        "_go_around",
        "_go_straight",
        "_put",
        "_linger",
        "_send",
        "_takes_control_frame",
        "_turn_away",
        "close_sent",
        "straight",
        "when_written",
        "write",
    },
}


async def application(scope, receive, send): ...


async def drain(): ...


def methods(cls):
    return {
        name: value for name, value in vars(cls).items() if inspect.isfunction(value) or isinstance(value, property)
    }


@pytest.mark.parametrize("cls", OURS_ALONE, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_what_we_override_is_there_and_takes_the_same(cls):
    base = cls.__bases__[0]
    overridden = {name: method for name, method in methods(cls).items() if hasattr(base, name) and name != "__init__"}

    assert methods(cls).keys() - overridden.keys() - {"__init__"} == OURS_ALONE[cls]
    for name, method in overridden.items():
        theirs = [p for p in inspect.signature(getattr(base, name)).parameters.values() if p.kind is not p.VAR_KEYWORD]
        assert list(inspect.signature(method).parameters) == [p.name for p in theirs], name


def test_daphnes_connections_ask_nothing_of_their_server_that_ours_lacks():
    server = on_daphne.Server(application, drain=drain, limits=Limits())
    asked = {
        name
        for module in (daphne.ws_protocol, daphne.http_protocol)
        for name in re.findall(r"self\.server\.(\w+)", inspect.getsource(module))
    }
    assert asked - set(dir(server)) == {"ws_factory"}, "which serve() makes"


def test_uvicorns_connections_keep_the_state_that_ours_read(monkeypatch):
    monkeypatch.setattr(on_uvicorn.Config, "configure_logging", lambda self: None)  # for this whole process
    config = on_uvicorn.Config(application, Limits())
    loop = asyncio.new_event_loop()
    try:
        ours = uvicorn_socket.Socket(config, ServerState(), {}, loop)
        http = uvicorn_request.HttpConnection(config, ServerState(), {}, loop)
    finally:
        loop.close()

    for name in (
        "close_sent",
        "close_timeout",
        "close_timer",
        "conn",
        "connections",
        "disconnected",
        "frames",
        "handshake_complete",
        "handshake_initiated",
        "initial_response",
        "loop",
        "transport",
        "writable",
    ):
        assert hasattr(ours, name), f"our WebSocket under uvicorn goes by its {name}, which is no more"
    for name in ("conn", "cycle", "headers", "loop", "scope", "timeout_keep_alive_task", "transport"):
        assert hasattr(http, name), f"our HTTP connection under uvicorn goes by its {name}, which is no more"


def test_twisteds_transport_tells_when_it_has_written_out_what_the_lane_has_left_to_it():
    for name in ("dataBuffer", "_tempDataBuffer", "producerPaused"):
        assert hasattr(FileDescriptor(Mock()), name), f"Socket.write under daphne goes by {name}, which is no more"
    transport = FileDescriptor(Mock())
    transport.connected = 1
    transport.writeSomeData = len
    gate = Gate()
    gate.tell_open = Mock()
    transport.registerProducer(gate, streaming=True)

    transport.write(b"left")
    assert transport._tempDataBuffer, "there is something left before Twisted's next turn"
    transport.producerPaused = True
    transport.doWrite()

    assert gate.tell_open.call_count == 1
    assert not any((transport.dataBuffer, transport._tempDataBuffer, transport.producerPaused))


def test_uvicorn_says_where_it_closes_with_a_code():
    """Our ``close_sent`` is a property, by which a close is known in the same turn that it is written in."""
    of_uvicorn = inspect.getsource(uvicorn_socket.WebSocketsSansIOProtocol)
    assert of_uvicorn.count("self.close_sent = True") == 6
    assert of_uvicorn.count("conn.send_close(") == 3, "of an application, for what is no text, and on the way out"
    for name in ("send_keepalive_ping", "keepalive_timeout", "handle_close", "handle_parser_exception"):
        assert not inspect.iscoroutinefunction(getattr(uvicorn_socket.Socket, name)), f"{name} lets others in between"


async def test_asyncios_transport_is_full_with_the_first_byte_that_is_left_and_tells_when_there_is_none():
    ours, theirs = socket.socketpair()
    told = []

    class Told(asyncio.Protocol):
        def pause_writing(self):
            told.append("full")

        def resume_writing(self):
            told.append("empty")

    transport, _ = await asyncio.get_running_loop().create_connection(Told, sock=ours)
    assert type(transport) is _SelectorSocketTransport
    transport.set_write_buffer_limits(high=0)
    with theirs:
        while not told:
            assert transport.get_write_buffer_size() == 0, "it says so before write() returns"
            transport.write(b"x" * 4096)
        assert 0 < transport.get_write_buffer_size() <= 4096
        theirs.setblocking(False)
        while told == ["full"]:
            with contextlib.suppress(BlockingIOError):
                theirs.recv(2**20)
            await asyncio.sleep(0)
        assert (told, transport.get_write_buffer_size()) == (["full", "empty"], 0)
        transport.abort()
        await asyncio.sleep(0)


async def test_asyncios_transport_says_that_it_keeps_something_where_what_it_keeps_is_from_before_the_limit():
    ours, theirs = socket.socketpair()
    told = Mock()
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: told, sock=ours)
    with theirs:
        while not transport.get_write_buffer_size():
            transport.write(b"x" * 4096)
        assert not told.pause_writing.called

        transport.set_write_buffer_limits(high=0)

        assert told.pause_writing.called
        transport.abort()
        await asyncio.sleep(0)


async def test_a_socket_that_asyncio_has_closed_is_asked_in_vain_whoever_has_its_number_now():
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    with theirs:
        number, take = ours.fileno(), transport._sock.send
        assert (take(b"there"), theirs.recv(8)) == (5, b"there")
        transport.abort()
        await asyncio.sleep(0)

        others = socket.socketpair()
        with others[0], others[1]:
            assert number in {other.fileno() for other in others}
            with pytest.raises(OSError, match="Bad file descriptor"):
                take(b"for somebody else")
