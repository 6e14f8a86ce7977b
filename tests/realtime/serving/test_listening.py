"""Leaving a socket that is listened on: whoever has connected is taken in, and nobody comes between."""

import asyncio
import socket

import pytest

from realtime.serving.limits import Limits
from realtime.serving.listening import accepted, listen


@pytest.fixture
def listening():
    with listen("127.0.0.1", 0, Limits()) as listening:
        yield listening


def connect(listening):
    """Connect, which the kernel does by itself, whether or not anybody accepts."""
    return socket.create_connection(listening.getsockname(), timeout=0.3)


async def test_nobody_comes_between_the_last_look_and_the_close(listening):
    taken_in = []

    class Welcome(asyncio.Protocol):
        def connection_made(self, transport):
            taken_in.append(transport.get_extra_info("peername"))

    server = await asyncio.get_running_loop().create_server(Welcome, sock=listening)
    with connect(listening) as early:
        await accepted(listening)

        with pytest.raises(TimeoutError):
            connect(listening)
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)
        assert taken_in == [early.getsockname()]


async def test_who_is_overlooked_is_refused_once_nobody_listens(listening):
    """With the certainty that nobody had heard the request, so that asking elsewhere does nothing twice."""
    await accepted(listening)
    with socket.socket() as late:
        late.setblocking(False)
        connecting = asyncio.ensure_future(
            asyncio.get_running_loop().sock_connect(late, listening.getsockname()),
        )
        await asyncio.sleep(0)  # it has asked
        listening.close()
        with pytest.raises(ConnectionRefusedError):
            await connecting


def test_a_connection_from_before_goes_on(listening):
    with connect(listening) as client:
        asyncio.run(accepted(listening, within_seconds=0.1))
        served, _ = listening.accept()
        with served:
            client.sendall(b"a request")
            assert served.recv(100) == b"a request"
            served.sendall(b"an answer")
            assert client.recv(100) == b"an answer"
