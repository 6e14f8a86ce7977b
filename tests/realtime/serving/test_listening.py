"""Leaving a socket that is listened on: whoever has connected is taken in, and nobody comes between."""

import asyncio
import pathlib
import socket

import pytest

from realtime.serving import listening as ours
from realtime.serving.limits import Limits
from realtime.serving.listening import accepted, listen

LONG = 20
SYN_ALONE = ((0x30, 0, 0, 13), (0x45, 1, 0, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def loopbacks():
    """Return the addresses of this machine itself: many a container has none of IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


@pytest.fixture(params=loopbacks())
def listening(request):
    with listen(request.param, 0, Limits()) as listening:
        yield listening


def connect(listening):
    """Connect, which the kernel does by itself, whether or not anybody accepts."""
    return socket.create_connection(listening.getsockname()[:2], timeout=0.3)


async def test_nobody_comes_between_the_last_look_and_the_close(listening):
    taken_in = []

    class Welcome(asyncio.Protocol):
        def connection_made(self, transport):
            taken_in.append(transport.get_extra_info("peername"))

    server = await asyncio.get_running_loop().create_server(Welcome, sock=listening)
    address = listening.getsockname()
    with connect(listening) as early, socket.socket(listening.family) as late:
        await accepted(listening)

        late.setblocking(False)
        connecting = asyncio.ensure_future(asyncio.get_running_loop().sock_connect(late, address))
        await asyncio.sleep(0)  # it has asked
        server.close()
        with pytest.raises(ConnectionRefusedError):  # with the certainty that nobody had heard its request
            await connecting
        assert taken_in == [early.getsockname()]


async def test_whoever_is_half_way_in_is_waited_for(listening, monkeypatch):
    """Its request is on its way from far: here a filter holds up all that comes behind the first packet of a client."""
    monkeypatch.setattr(ours, "DROP_SYN", SYN_ALONE)
    ours.overlook_newcomers(listening)
    monkeypatch.undo()
    with connect(listening) as client:
        client.sendall(b"a request")
        assert not ours.has_unread(listening)
        assert ours.is_anybody_half_way(listening)

        await accepted(listening, within_seconds=0)  # what held it up is gone, and the kernel sends it once more

        assert not ours.is_anybody_half_way(listening)
        served, _ = listening.accept()
        with served:
            served.settimeout(LONG)
            assert served.recv(100) == b"a request"


async def test_who_stays_half_way_is_not_waited_for_without_end(listening, monkeypatch):
    looks = []
    monkeypatch.setattr(ours, "HALF_WAY_SECONDS", 0.1)
    monkeypatch.setattr(ours, "is_anybody_half_way", lambda _: looks.append(True) or True)
    async with asyncio.timeout(LONG):
        await accepted(listening)
    assert looks


def test_a_table_that_cannot_be_read_has_nobody_in_it(listening, monkeypatch):
    """As where /proc is hidden."""
    monkeypatch.setattr(ours, "Path", lambda *parts: pathlib.Path("/nowhere"))
    assert not ours.is_anybody_half_way(listening)


def test_a_connection_from_before_goes_on(listening):
    with connect(listening) as client:
        asyncio.run(accepted(listening, within_seconds=0.1))
        served, _ = listening.accept()
        with served:
            client.sendall(b"a request")
            assert served.recv(100) == b"a request"
            served.sendall(b"an answer")
            assert client.recv(100) == b"an answer"
