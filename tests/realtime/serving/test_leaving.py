"""The way out: who hears what, what is still answered, and that it ends."""

import signal
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode


def request_in_flight(server, path):
    """Send a request and return what reads its answer."""
    return server.raw(f"POST {path} HTTP/1.1", "Host: usher.test", "Content-Length: 0", "")


def whole_answer(raw):
    """Read one answer to its last chunk."""
    answer = b""
    while not answer.endswith(b"\r\n0\r\n\r\n"):
        received = raw.recv(4096)
        assert received, f"it broke off: {answer}"
        answer += received
    return answer


def close_code(alice):
    with pytest.raises(ConnectionClosed) as closed:
        alice.recv(timeout=20)
    return closed.value.rcvd and closed.value.rcvd.code


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_goodbye_then_4000_and_what_was_begun_is_answered(start, by):
    server = start()
    with (
        server.socket("/echo") as alice,
        server.socket("/echo") as bob,
        server.socket("/greet", subprotocols=["usher.v1"]) as forgotten,
        request_in_flight(server, "/create") as creation,
    ):
        for one in (alice, bob):
            one.send("hello")
            assert one.recv(timeout=20) == "hello"
        server.hears("creating")

        server.terminate(by)

        assert server.hears("draining")["sockets"] == 2, "the goodbye comes before anything is closed"
        with pytest.raises(ConnectionRefusedError):
            server.raw()
        for one in (alice, bob):
            assert one.recv(timeout=20) == '{"type":"goodbye"}'
            assert close_code(one) == 4000
        answer = creation.recv(4096)
        assert answer.startswith(b"HTTP/1.1 201")
        assert b"\r\nconnection: close\r\n" in answer.lower(), "the client is to send its next request elsewhere"
        assert close_code(forgotten) == 1012
    assert server.exit_code() == 0
    assert server.told[-1] == "ended"
    assert "Traceback" not in server.errors


def test_what_was_begun_a_while_ago_ends_its_connection_too(start):
    """uvicorn makes its headers anew each second, for the date in them."""
    server = start()

    with request_in_flight(server, "/create") as creation:
        server.hears("creating")
        time.sleep(1.2)  # what has to pass is time itself
        server.terminate()

        answer = creation.recv(4096)
        assert answer.startswith(b"HTTP/1.1 201")
        assert b"\r\nconnection: close\r\n" in answer.lower()
    assert server.exit_code() == 0


def test_an_idle_server_leaves_at_once(start):
    server = start()
    with server.raw("GET /live HTTP/1.1", "Host: usher.test", "") as kept_alive:
        assert kept_alive.recv(15) == b"HTTP/1.1 200 OK"
        server.terminate()
        assert server.exit_code() == 0
    assert server.errors == ""


@pytest.mark.parametrize("is_kept_alive", [False, True])
def test_a_request_that_nobody_has_read_yet_is_answered(start, is_kept_alive):
    """Its connection waits to be accepted, or its bytes wait in the kernel, when the signal comes."""
    server = start()
    request = ("GET /live HTTP/1.1", "Host: usher.test", "")
    with socket.socket() if not is_kept_alive else server.raw(*request) as raw:
        if is_kept_alive:
            whole_answer(raw)
        server.terminate(signal.SIGSTOP)
        if not is_kept_alive:
            raw.settimeout(20)
            raw.connect(("127.0.0.1", server.port))
        raw.sendall("".join(f"{line}\r\n" for line in request).encode())
        server.terminate()
        server.terminate(signal.SIGCONT)

        assert whole_answer(raw).startswith(b"HTTP/1.1 200")
        assert raw.recv(1) == b""
    assert server.exit_code() == 0
    assert server.errors == ""


def test_a_goodbye_that_hangs_is_cut_off(start):
    server = start(exit_seconds=4)
    with server.socket("/stubborn") as stubborn:
        server.terminate()
        assert close_code(stubborn) == 1012
    assert server.exit_code() == 0
    assert "still saying goodbye" in server.errors
    assert server.told[-1] == "ended"


def test_a_reader_that_takes_nothing_does_not_hold_up_the_exit(start):
    server = start(exit_seconds=3600)
    with server.raw(*server.handshake("/flood?name=mallory&megabytes=50"), receive_buffer=8192) as raw:
        assert raw.recv(12) == b"HTTP/1.1 101"
        server.sent_at_rest("mallory")
        server.terminate()
        assert server.exit_code() == 0


def test_a_stuck_client_that_has_closed_costs_no_request_its_answer(start):
    server = start()
    with (
        request_in_flight(server, "/create") as creation,
        server.raw(*server.handshake("/flood?name=mallory&megabytes=50"), receive_buffer=8192) as raw,
    ):
        server.hears("creating")
        assert raw.recv(12) == b"HTTP/1.1 101"
        server.sent_at_rest("mallory")
        raw.sendall(Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True))
        server.hears("send refused")
        server.terminate()

        assert creation.recv(4096).startswith(b"HTTP/1.1 201")
    assert server.exit_code() == 0
    assert server.told[-1] == "ended"
    assert "Traceback" not in server.errors


@pytest.mark.parametrize("stuck", ["/hang", "/block", "/deaf"])
def test_nothing_that_is_stuck_keeps_the_server(start, stuck):
    server = start(exit_seconds=4)
    lines = server.handshake(stuck) if stuck == "/deaf" else (f"GET {stuck} HTTP/1.1", "Host: usher.test", "")
    with server.raw(*lines):
        server.hears("stuck")
        watch = threading.Timer(10, server.terminate, [signal.SIGKILL])
        watch.start()
        server.terminate()
        assert server.exit_code() == 0, server.errors
        watch.cancel()


def test_a_second_signal_does_no_harm(start):
    server = start()
    with request_in_flight(server, "/create") as creation:
        server.hears("creating")
        server.terminate()
        server.hears("draining")
        server.terminate()
        assert creation.recv(4096).startswith(b"HTTP/1.1 201")
    assert server.exit_code() == 0
    assert server.errors == ""
