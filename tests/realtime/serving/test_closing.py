"""What a client sees when a socket ends, and what the application hears of it."""

import pytest
from websockets.exceptions import ConnectionClosed


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
