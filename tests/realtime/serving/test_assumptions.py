"""
What we take for granted of daphne, Twisted, Autobahn and uvicorn, beyond what they promise.

The other tests here show that it works; these say what is missing when a new version of one of them changes.
"""

import asyncio
import inspect
import re

import daphne.http_protocol
import daphne.ws_protocol
import pytest
from uvicorn.server import ServerState

from realtime.serving import daphne as on_daphne
from realtime.serving import daphne_request, daphne_socket, uvicorn_request, uvicorn_socket
from realtime.serving import uvicorn as on_uvicorn
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
    },
    on_uvicorn.Server: {"_has_no_idle_connection"},
    uvicorn_request.HttpConnection: {"is_idle", "_expect_head", "_expect_nothing", "_head", "_refuse"},
    uvicorn_socket.Socket: {
        "abort",
        "_application_ended",
        "_decided",
        "_fail",
        "_linger",
        "_takes_control_frame",
        "_turn_away",
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


def test_uvicorns_connections_keep_the_state_that_ours_read():
    config = on_uvicorn.Config(application, Limits())
    loop = asyncio.new_event_loop()
    try:
        socket = uvicorn_socket.Socket(config, ServerState(), {}, loop)
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
        assert hasattr(socket, name)
    for name in ("conn", "cycle", "headers", "loop", "scope", "timeout_keep_alive_task", "transport"):
        assert hasattr(http, name)
