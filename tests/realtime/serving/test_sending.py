"""Texts that an application sends by plain ASGI: every length, in order with what else is sent, and none too late."""

import asyncio
import contextlib
import socket

import pytest
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame, Opcode

from realtime.sending import step
from realtime.serving.lean import DONE
from tests.realtime.serving.pairs import GOODBYE, until

LENGTHS = (0, 1, 124, 125, 126, 127, 128, 4_000)
MEGABYTE = 2**20


def test_texts_of_all_lengths_come_back_among_bytes_and_pongs_as_they_went(server):
    with server.socket("/echo") as echo:
        for length in LENGTHS:
            for said in ("ü" + "x" * length, b"\xff" * length):
                echo.send(said)
                pong = echo.ping()
                assert echo.recv(timeout=10) == said
                assert pong.wait(timeout=10)


def text(said):
    return {"type": "websocket.send", "text": said}


def frame_of(said):
    return Frame(Opcode.TEXT, said.encode()).serialize(mask=False)


async def read(pair, size):
    came = b""
    while len(came) < size:
        came += await pair.read()
    return came


async def test_a_text_is_handed_on_at_once_as_the_library_would_write_it(open_pair):
    pair = await open_pair()
    for said in ("", "hi", "ü" * 100, "x" * 65_535, "x" * 65_536):
        assert pair.application.send(text(said)) is DONE
        assert await read(pair, len(frame_of(said))) == frame_of(said)


@pytest.mark.parametrize("message", [{"bytes": b"hi"}, {"bytes": b"hi", "text": None}, {"bytes": b"hi", "text": "no"}])
async def test_bytes_go_by_the_library(open_pair, message):
    pair = await open_pair()
    sending = pair.application.send({"type": "websocket.send", **message})
    assert sending is not DONE
    await sending
    assert await pair.read() == Frame(Opcode.BINARY, b"hi").serialize(mask=False)


async def test_a_text_waits_while_the_transport_keeps_something_and_comes_behind_it(open_pair):
    pair = await open_pair()
    big = "x" * 16 * MEGABYTE
    assert pair.application.send(text(big)) is DONE, "the kernel takes a part, and the transport keeps the rest"
    waiting = asyncio.ensure_future(pair.application.send(text("late")))
    await asyncio.sleep(0)
    assert not waiting.done()

    expected = frame_of(big) + frame_of("late")
    came = await read(pair, len(expected))
    await waiting

    assert came == expected
    await until(lambda: pair.ours.transport.get_write_buffer_size() == 0)
    assert pair.application.send(text("soon")) is DONE


@pytest.mark.parametrize("kept", [1, 60_000, 4 * MEGABYTE])
async def test_nothing_overtakes_what_the_transport_kept_from_before_the_handshake(open_pair, kept):
    unread = taken_by_the_kernel() + kept
    pair = await open_pair(unread=unread)
    application = pair.application
    came = await pair.read()
    while not application.accepted.is_set():
        came += await pair.read()
    texts = [application.send(text(said)) for said in ("first", "second")]
    assert texts == [DONE, DONE], "all that was kept is out"
    while not came.endswith(frame_of("second")):
        came += await pair.read()

    assert len(came) > unread
    head, _, rest = came.partition(b"\r\n\r\n")
    body, (upgrade, _, frames) = rest[:unread], rest[unread:].partition(b"\r\n\r\n")
    assert (head.splitlines()[0], upgrade.splitlines()[0]) == (b"HTTP/1.1 200 OK", b"HTTP/1.1 101 Switching Protocols")
    assert body == b"u" * unread
    assert frames == frame_of("first") + frame_of("second")


async def test_it_stays_shut_when_a_close_that_the_transport_kept_is_written_out(open_pair):
    pair = await open_pair()
    filling = frame_of("f" * MEGABYTE)
    take = pair.application.lane["straight"](lambda: None)
    with contextlib.suppress(BlockingIOError):
        while take(filling) == len(filling):
            pass
    await pair.application.send({"type": "websocket.close", "code": 4002})
    transport = pair.ours.transport
    assert transport.get_write_buffer_size() > 0
    while transport.get_write_buffer_size():
        await pair.read(MEGABYTE)

    assert not transport.is_closing(), "it waits for the client's close"
    assert pair.application.lane["straight"](lambda: None) is None
    with pytest.raises(RuntimeError):
        await pair.application.send(text("late"))


def taken_by_the_kernel():
    """Return how many bytes the kernel takes for somebody on this machine who reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            accepted.setblocking(False)
            taken = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    taken += accepted.send(b"u" * 2**24)
            return taken


async def test_no_text_goes_out_behind_our_close(open_pair):
    pair = await open_pair()
    await pair.application.send({"type": "websocket.close", "code": 4002})
    with pytest.raises(RuntimeError, match=r"after sending 'websocket\.close'"):
        await pair.application.send(text("late"))
    pair.answers = True
    assert await pair.frames_to_the_end() == [b"\x88\x02\x0f\xa2"]


@pytest.mark.parametrize(("last_words", "code"), [(GOODBYE, 1000), (b"\x81\x02hi", 1002)], ids=["a close", "a mistake"])
async def test_no_text_goes_out_behind_the_answer_to_a_clients_close(open_pair, last_words, code):
    pair = await open_pair()
    pair.say(last_words)
    await until(pair.ours.transport.is_closing)
    with pytest.raises(ClientDisconnected):
        await pair.application.send(text("late"))

    (last,) = await pair.frames_to_the_end()
    assert (last[0], int.from_bytes(last[2:4])) == (0x88, code)


async def test_what_is_done_can_be_awaited_stepped_and_made_a_task_by_anybody():
    assert await DONE is None
    assert await DONE is None
    assert await asyncio.get_running_loop().create_task(DONE) is None
    assert step(DONE) is None
    DONE.close()
    with pytest.raises(OSError, match="gone"):
        DONE.throw(OSError("gone"))
