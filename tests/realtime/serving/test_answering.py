"""HTTP requests that nobody finishes, and what an answer never says."""

import contextlib
import json
import socket
import urllib.error

import pytest


def test_a_view_that_never_returns_is_answered_for(hasty):
    with pytest.raises(urllib.error.HTTPError) as refused:
        hasty.get("/hang")

    with refused.value as answer:
        assert answer.status == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert json.load(answer)["code"] == "no_answer"


def test_half_a_body_is_not_waited_for(hasty):
    head = ("POST /read HTTP/1.1", "Host: usher.test", "Content-Length: 10", "", "half")
    with hasty.raw(*head) as raw:
        assert raw.recv(12) in (b"", b"HTTP/1.1 503")


@pytest.mark.parametrize("header", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_too_large_a_body_is_refused(server, header):
    body = b"x" * 3_000_000
    if "chunked" in header:
        body = b"".join(b"ea60\r\n" + b"x" * 60_000 + b"\r\n" for _ in range(50)) + b"0\r\n\r\n"
    with server.raw("POST /read HTTP/1.1", "Host: usher.test", header, "") as raw:
        with contextlib.suppress(ConnectionError):  # uvicorn answers and closes before it has read everything
            raw.sendall(body)
        assert raw.recv(12) == b"HTTP/1.1 413"


def test_a_body_reaches_the_application_whole(server):
    lines = ("POST /read HTTP/1.1", "Host: usher.test", "Connection: close", "Content-Length: 2621440", "")
    with server.raw(*lines) as raw:
        raw.sendall(b"x" * 2_621_440)
        assert b'"read": 2621440' in b"".join(iter(lambda: raw.recv(4096), b""))


def test_a_long_answer_that_has_begun_is_not_cut(hasty):
    with hasty.raw("GET /download?name=alice&megabytes=50 HTTP/1.1", "Host: x", "", receive_buffer=8192) as raw:
        with pytest.raises(urllib.error.HTTPError) as later:
            hasty.get("/hang")
        later.value.close()

        assert raw.recv(15) == b"HTTP/1.1 200 OK"
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)  # slow enough by now
        end = b""
        while end != b"\r\n0\r\n\r\n":
            more = raw.recv(2**20)
            assert more, "the answer was cut"
            end = (end + more)[-7:]


def test_an_application_that_fails_is_a_500(server):
    with pytest.raises(urllib.error.HTTPError) as failed:
        server.get("/fail_early")
    with failed.value as answer:
        assert answer.status == 500


def test_half_an_answer_is_cut_off_rather_than_ended(server):
    with server.raw("GET /half HTTP/1.1", "Host: usher.test", "") as raw:
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.endswith(b"\r\n\r\nhalf")


def test_a_client_cannot_move_the_application(server):
    lines = ("GET /live HTTP/1.1", "Host: usher.test", "Daphne-Root-Path: /elsewhere", "Connection: close", "")
    with server.raw(*lines) as raw:
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert b'"root_path": ""' in answer
    assert b"server:" not in answer.lower()


def test_no_log_has_a_query_string_or_a_frame(start):
    server = start(log_level="DEBUG")
    for path in ("/echo", "/fail"):
        with server.socket(
            f"{path}?token=hunter2", additional_headers={"Authorization": "Bearer hunter2"}
        ) as websocket:
            if path == "/echo":
                websocket.send("hunter2")
                websocket.recv()
    with pytest.raises(urllib.error.HTTPError) as failed:
        server.get("/fail_early?token=hunter2")
    failed.value.close()
    server.terminate()

    assert server.exit_code() == 0
    assert "on purpose" in server.errors, "errors are logged"
    assert "hunter2" not in server.errors
