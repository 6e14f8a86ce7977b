"""What each connection waits with, and what it keeps: as asyncio's and uvicorn's own, in less memory."""

import asyncio

import pytest
from uvicorn.server import ServerState

from realtime.serving.lean import Mailbox, Signal
from realtime.serving.limits import Limits
from realtime.serving.uvicorn import Config
from realtime.serving.uvicorn_socket import Socket

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: usher\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer secret\r\n\r\n"
)


async def waits(*many):
    """Begin to wait, in order, and return the tasks."""
    tasks = [asyncio.ensure_future(each) for each in many]
    await asyncio.sleep(0)
    return tasks


async def test_a_mailbox_gives_in_order_what_was_put_and_waits_while_there_is_nothing():
    mailbox = Mailbox()
    (waiting,) = await waits(mailbox.get())
    assert not waiting.done()

    for item in "abc":
        mailbox.put_nowait(item)

    assert [await waiting, await mailbox.get(), await mailbox.get()] == list("abc")
    assert mailbox.empty()


@pytest.mark.parametrize("comes_first", [True, False])
async def test_one_who_gives_up_takes_nothing_along(comes_first):
    mailbox = Mailbox()
    gives_up, stays = await waits(mailbox.get(), mailbox.get())

    if comes_first:
        mailbox.put_nowait("a")
    gives_up.cancel()
    mailbox.put_nowait("b")
    found = [await stays] + ([await mailbox.get()] if comes_first else [])

    assert found == (["a", "b"] if comes_first else ["b"])
    assert mailbox.empty()


async def test_a_signal_lets_everybody_go_who_waits_and_keeps_nobody():
    signal = Signal()
    gives_up, *stay = await waits(*(signal.wait() for _ in range(3)))
    gives_up.cancel()
    await asyncio.gather(gives_up, return_exceptions=True)
    assert len(signal._waiting) == 2

    signal.set()
    await asyncio.gather(*stay, signal.wait())
    assert (signal.is_set(), signal._waiting) == (True, None)

    signal.clear()
    (late,) = await waits(signal.wait())
    assert not late.done()
    signal.set()
    await late


class Transport(asyncio.Transport):
    """Takes everything."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self._is_closing = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self._is_closing

    def close(self):
        self._is_closing = True

    abort = close

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


async def test_an_open_socket_under_uvicorn_keeps_no_head_and_no_dict():
    """A new name in uvicorn would still find its place, in a dict of 1.6 KB: then it is to be named in the slots."""
    is_open = asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        is_open.set()
        await receive()

    config = Config(application, Limits())
    config.load()
    connection = Socket(config=config, server_state=ServerState(), app_state={})
    connection.connection_made(Transport())
    connection.data_received(HANDSHAKE)
    await is_open.wait()
    await asyncio.sleep(0)

    assert connection.transport.written.startswith(b"HTTP/1.1 101 ")
    assert (len(connection.request.headers), len(connection.response.headers)) == (0, 0)
    assert vars(connection) == {}
    connection.connection_lost(ConnectionResetError())
