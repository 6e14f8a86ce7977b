"""What a client costs that sends or takes nothing, or too much."""

import asyncio
import os

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.realtime.serving.pairs import PATIENCE, until

MEGABYTE = 2**20


def masked(opcode, payload):
    return Frame(opcode, payload).serialize(mask=True)


def opened(server, path):
    """Open a socket whose client will read nothing more than the answer to its handshake."""
    raw = server.raw(*server.handshake(path), receive_buffer=8192)
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw


def test_a_reader_that_takes_nothing_costs_one_buffer(start):
    server = start()
    before = server.resident_megabytes()

    with opened(server, "/flood?name=mallory&megabytes=50"):
        assert 0 < server.sent_at_rest("mallory") < 200, "of 800; the kernel takes some"
        assert server.resident_megabytes() - before < 5


def test_a_reader_that_takes_everything_gets_everything(server):
    with server.socket("/flood?name=alice&megabytes=50") as socket:
        assert sum(len(socket.recv(timeout=20)) for _ in range(800)) == 800 * 65_537


def test_abort_drops_a_stuck_socket_and_wakes_its_sender(server):
    with opened(server, "/flood?name=bob&megabytes=50") as raw:
        server.sent_at_rest("bob")
        assert server.get("/try_to_close?name=bob") == {"closed": False}, "a close waits for room like everything else"
        server.get("/abort?name=bob")

        assert server.hears("send refused")
        assert server.hears("flooded")["then"] == "websocket.disconnect"
        with pytest.raises(ConnectionResetError):
            while raw.recv(65_536):
                pass


@pytest.mark.parametrize("last_words", [masked(Opcode.CLOSE, b"\x03\xe8"), b"\x81\x02hi"], ids=["a close", "a mistake"])
def test_a_stuck_client_that_ends_its_socket_wakes_the_sender(server, last_words):
    with opened(server, "/flood?name=carol&megabytes=50") as raw:
        server.sent_at_rest("carol")
        raw.sendall(last_words)

        assert server.hears("send refused")
        assert server.hears("flooded")["then"] == "websocket.disconnect"


def test_a_peer_that_takes_nothing_is_dropped_by_the_kernel_in_the_end(start):
    server = start(silence_seconds=1)
    with opened(server, "/flood?name=bob&megabytes=50"):
        assert server.hears("send refused")


def test_a_client_that_is_not_received_is_not_read(start):
    server = start()
    before = server.resident_megabytes()

    with opened(server, "/deaf") as raw:
        raw.settimeout(2)
        message = masked(Opcode.BINARY, os.urandom(60_000))
        with pytest.raises(TimeoutError):
            for _ in range(50 * MEGABYTE // len(message)):
                raw.sendall(message)
    assert server.resident_megabytes() - before < 5


async def test_reading_stops_for_a_second_message_and_not_for_one_that_is_taken(open_pair):
    pair = await open_pair()
    transport, stopped = pair.ours.transport, []
    stop = transport.pause_reading

    def pause_reading():
        stopped.append(True)
        stop()

    transport.pause_reading = pause_reading

    async def taken():
        async with asyncio.timeout(PATIENCE):
            return (await pair.ours.receive())["text"]

    for said in ("one", "two", "three"):
        pair.say(masked(Opcode.TEXT, said.encode()))
        assert await taken() == said
    assert not stopped

    for number, said in enumerate(("first", "second")):
        pair.say(masked(Opcode.TEXT, said.encode()))
        await until(lambda number=number: len(pair.ours.queue._items) > number)
    assert stopped == [True]
    assert not transport.is_reading()
    pair.say(masked(Opcode.TEXT, b"third"))
    assert [await taken() for _ in range(3)] == ["first", "second", "third"]
    assert transport.is_reading()


@pytest.mark.parametrize(
    ("opcode", "payload"), [(Opcode.PING, b""), (Opcode.PONG, b""), (Opcode.PONG, b"p" * 125)], ids=str
)
def test_too_many_control_frames_close_with_1008(start, opcode, payload):
    server = start(control_frames=50)
    with server.socket("/echo") as socket:
        connection = socket.socket
        connection.sendall(masked(opcode, payload) * 50)
        socket.send("as many as one may")
        assert socket.recv(timeout=20) == "as many as one may"

        connection.sendall(masked(opcode, payload) * 60)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "too many control frames")
    assert server.hears("disconnected", code=1008)
    assert "Traceback" not in server.errors


def test_empty_fragments_count_as_control_frames(start):
    server = start(control_frames=50)
    with server.socket("/echo") as socket:
        socket.socket.sendall(Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True))
        socket.socket.sendall(Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 60)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert closed.value.rcvd.code == 1008


def test_pings_of_a_client_that_reads_no_pongs_do_not_pile_up(start):
    server = start(control_frames=10**9)
    before = server.resident_megabytes()

    with opened(server, "/echo") as raw:
        pings = masked(Opcode.PING, b"p" * 125) * 1000
        for _ in range(16 * MEGABYTE // len(pings)):
            raw.sendall(pings)
        raw.sendall(masked(Opcode.CLOSE, b"\x03\xe8"))
        assert server.hears("disconnected")["code"] == 1000
        assert server.resident_megabytes() - before < 5


def test_a_download_waits_for_its_reader(start):
    server = start()
    before = server.resident_megabytes()

    with server.raw("GET /download?name=alice&megabytes=50 HTTP/1.1", "Host: x", "", receive_buffer=8192) as raw:
        assert raw.recv(15) == b"HTTP/1.1 200 OK"
        assert 0 < server.sent_at_rest("alice") < 200
        assert server.resident_megabytes() - before < 5
        raw.setblocking(True)
        raw.settimeout(20)
        total = 0
        while not (data := raw.recv(MEGABYTE)).endswith(b"\r\n0\r\n\r\n"):
            total += len(data)
        assert total > 49 * MEGABYTE
