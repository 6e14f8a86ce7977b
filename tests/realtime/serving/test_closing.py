"""What a client sees when a socket ends, and what the application hears of it."""

import select
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.realtime.serving.conftest import PATIENCE

NO_TEXT = Frame(Opcode.TEXT, b"\xff").serialize(mask=True)
GOODBYE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)


def ending(socket):
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=20)
    frame = closed.value.rcvd
    return (frame.code, frame.reason) if frame else None


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012, 1013, 3000, 4000, 4101, 4999])
def test_the_client_sees_code_and_reason(server, code):
    with server.socket(f"/close?code={code}&reason=because") as socket:
        assert ending(socket) == (code, "because")
    assert server.hears("closed", code=code)["type"] == "websocket.disconnect"


def test_a_code_that_may_not_be_sent_is_a_failure_of_the_application(server):
    with server.socket("/close?code=1006") as socket:
        assert ending(socket) == (1011, "")


@pytest.mark.parametrize("path", ["/fail", "/leave"])
def test_an_application_that_fails_or_leaves_closes_with_1011(server, path):
    with server.socket(path) as socket:
        assert ending(socket) == (1011, "")


def test_the_application_hears_of_a_client_that_closes(server):
    with server.socket("/echo") as socket:
        socket.close(4321, "enough")
    assert server.hears("disconnected", code=4321)


def test_empty_frames_are_frames(server):
    with server.socket("/empty") as socket:
        assert socket.recv(timeout=20) == ""
        assert socket.recv(timeout=20) == b""


def test_frames_come_back_as_they_were(server):
    with server.socket("/echo") as socket:
        for message in ("ä text", b"\x00bytes", "", "x" * 65_536):
            socket.send(message)
            assert socket.recv(timeout=20) == message


def test_a_message_above_the_limit_closes_with_1009(server):
    with server.socket("/echo") as socket:
        socket.send("x" * 65_537)
        assert ending(socket)[0] == 1009
    assert server.hears("disconnected", code=1009)


def test_text_that_is_none_closes_with_1007_and_is_not_worth_a_traceback(server):
    with server.socket("/echo") as socket:
        socket.send(b"\xff\xfe", text=True)
        assert ending(socket)[0] == 1007
    assert server.hears("disconnected", code=1007)
    assert "UnicodeDecodeError" not in server.errors


def closed_with(raw):
    """Read a connection to its end, from behind its head; return the code of the close frame that comes first."""
    frames = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert frames[0] == 0x88, "the connection ended without a close"
    return int.from_bytes(frames[2:4])


def gone(server):
    """Wait until the server has no socket left, not even one that is over."""
    deadline = time.monotonic() + PATIENCE
    while server.get("/kept")["kept"]:
        assert time.monotonic() < deadline, "the socket stays for as long as its client likes"
        time.sleep(0.1)


@pytest.mark.parametrize("is_early", [True, False], ids=["with the handshake", "after it"])
@pytest.mark.parametrize(
    ("packet", "codes"),
    [(NO_TEXT + GOODBYE, {1000, 1007}), (NO_TEXT * 3, {1007}), (GOODBYE + NO_TEXT, {1000})],
    ids=["no text and a close", "no text, and again", "a close and no text"],
)
def test_a_mistake_and_what_comes_along_end_the_connection(start, packet, codes, is_early):
    server = start(handshake_seconds=2)  # so long daphne waits for a close to be answered
    with server.raw() as raw:
        handshake = "".join(f"{line}\r\n" for line in server.handshake("/echo")).encode()
        raw.sendall(handshake + (packet if is_early else b""))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += raw.recv(1)
        assert head.startswith(b"HTTP/1.1 101")
        if not is_early:
            raw.sendall(packet)
        assert closed_with(raw) in codes
        assert server.hears("disconnected")["code"] in codes
        gone(server)
    server.terminate()
    assert server.exit_code() == 0
    assert "Traceback" not in server.errors


@pytest.mark.parametrize("last_words", [GOODBYE, b"\x81\x02hi"], ids=["a close", "a frame without mask"])
def test_who_ends_a_socket_and_takes_nothing_is_dropped(start, last_words):
    server = start(silence_seconds=3600)
    with server.raw(*server.handshake("/flood?name=mallory&megabytes=50"), receive_buffer=8192) as raw:
        assert raw.recv(12) == b"HTTP/1.1 101"
        server.sent_at_rest("mallory")
        raw.sendall(last_words)
        server.hears("flooded")

        reset = select.poll()
        reset.register(raw, 0)  # nothing but errors
        assert reset.poll(PATIENCE * 1000), "the socket stays for as long as its client likes"


def test_an_endless_message_in_pieces_closes_with_1009(server):
    with server.socket("/echo") as socket:
        socket.send(["x" * 30_000] * 3)
        assert ending(socket)[0] == 1009


def test_a_frame_without_mask_closes_with_1002(server):
    with server.raw(*server.handshake("/echo")) as raw:
        assert raw.recv(4096).startswith(b"HTTP/1.1 101")
        raw.sendall(b"\x81\x02hi")
        frame = raw.recv(4096)
        assert (frame[0], int.from_bytes(frame[2:4])) == (0x88, 1002)
