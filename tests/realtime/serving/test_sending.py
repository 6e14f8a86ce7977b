"""Texts that an application sends by plain ASGI: every length, in order with what else is sent, and none too late."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from realtime.sending import step
from realtime.serving.lean import DONE
from realtime.serving.limits import Limits
from realtime.serving.uvicorn import Config
from realtime.serving.uvicorn_socket import Socket
from tests.realtime.serving.test_lean import HANDSHAKE, Transport
from tests.realtime.serving.test_pressure import masked

LENGTHS = (0, 1, 124, 125, 126, 127, 128, 4_000)


def test_texts_of_all_lengths_come_back_among_bytes_and_pongs_as_they_went(server):
    with server.socket("/echo") as socket:
        for length in LENGTHS:
            for said in ("ü" + "x" * length, b"\xff" * length):
                socket.send(said)
                pong = socket.ping()
                assert socket.recv(timeout=10) == said
                assert pong.wait(timeout=10)


@asynccontextmanager
async def accepted(transport):
    """Give uvicorn's side of a socket that an application has accepted, and that sends into this transport."""
    is_open, is_over = asyncio.Event(), asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        is_open.set()
        await is_over.wait()

    config = Config(application, Limits())
    config.load()
    socket = Socket(config=config, server_state=ServerState(), app_state={})
    socket.connection_made(transport)
    socket.data_received(HANDSHAKE)
    await is_open.wait()
    transport.written = b""
    yield socket
    socket.connection_lost(ConnectionResetError())
    is_over.set()
    await asyncio.gather(*socket.tasks)


def text(said):
    return {"type": "websocket.send", "text": said}


async def test_a_text_is_handed_on_at_once_as_the_library_would_write_it():
    async with accepted(Transport()) as socket:
        for said in ("", "hi", "ü" * 100, "x" * 65_535, "x" * 65_536):
            assert socket.send(text(said)) is DONE
            assert socket.transport.written == Frame(Opcode.TEXT, said.encode()).serialize(mask=False)
            socket.transport.written = b""


@pytest.mark.parametrize("message", [{"bytes": b"hi"}, {"bytes": b"hi", "text": None}, {"bytes": b"hi", "text": "no"}])
async def test_bytes_go_by_the_library(message):
    async with accepted(Transport()) as socket:
        sending = socket.send({"type": "websocket.send", **message})
        assert sending is not DONE
        await sending
        assert socket.transport.written == Frame(Opcode.BINARY, b"hi").serialize(mask=False)


async def test_a_text_waits_while_the_transport_is_full():
    async with accepted(Transport()) as socket:
        socket.pause_writing()
        waiting = asyncio.ensure_future(socket.send(text("late")))
        await asyncio.sleep(0)
        assert (waiting.done(), socket.transport.written) == (False, b"")

        socket.resume_writing()
        await waiting
        assert socket.send(text("soon")) is DONE
        assert socket.transport.written == b"\x81\x04late\x81\x04soon"


async def test_no_text_goes_out_behind_our_close():
    async with accepted(Transport()) as socket:
        await socket.send({"type": "websocket.close", "code": 4002})
        assert socket.transport.written == b"\x88\x02\x0f\xa2"
        with pytest.raises(RuntimeError, match=r"after sending 'websocket\.close'"):
            await socket.send(text("late"))
        assert socket.transport.written == b"\x88\x02\x0f\xa2"


@pytest.mark.parametrize("last_words", [masked(Opcode.CLOSE, b"\x03\xe8"), b"\x81\x02hi"], ids=["a close", "a mistake"])
async def test_no_text_goes_out_behind_the_answer_to_a_clients_close(last_words):
    async with accepted(Transport()) as socket:
        socket.data_received(last_words)
        answer = socket.transport.written
        assert answer.startswith(b"\x88")
        with pytest.raises(ClientDisconnected):
            await socket.send(text("late"))
        assert socket.transport.written == answer


async def test_what_is_done_can_be_awaited_stepped_and_made_a_task_by_anybody():
    assert await DONE is None
    assert await DONE is None
    assert await asyncio.get_running_loop().create_task(DONE) is None
    assert step(DONE) is None
    DONE.close()
    with pytest.raises(OSError, match="gone"):
        DONE.throw(OSError("gone"))
