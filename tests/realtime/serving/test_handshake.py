"""How a handshake is accepted, refused and not waited for."""

import json
import signal

import pytest
from websockets.exceptions import InvalidStatus


def refusal(server, path):
    with pytest.raises(InvalidStatus) as refused, server.socket(path):
        pass
    return refused.value.response


def received(raw):
    """Read a connection to its end."""
    return b"".join(iter(lambda: raw.recv(65_536), b""))


def test_a_refused_client_reads_status_headers_and_problem(server):
    response = refusal(server, "/deny")

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.body == b'{"code": "token_expired"}'
    assert server.hears("denied")["then"] == "websocket.disconnect"


def test_a_close_before_accept_is_a_403(server):
    assert refusal(server, "/refuse").status_code == 403


def test_an_application_that_fails_before_accept_is_a_500(server):
    assert refusal(server, "/fail_early").status_code == 500


def test_accept_carries_subprotocol_and_headers_and_names_no_server(server):
    with server.socket("/greet", subprotocols=["other.v9", "usher.v1"]) as socket:
        assert socket.subprotocol == "usher.v1"
        assert socket.response.headers.get_all("x-usher") == ["a", "b"]
        assert "server" not in socket.response.headers
        assert "sec-websocket-extensions" not in socket.response.headers


def test_compression_is_declined(server):
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    with server.raw(*server.handshake("/echo")[:-1], offer, "") as raw:
        assert b"permessage-deflate" not in raw.recv(4096)


def test_an_application_that_does_not_decide_is_refused_for(hasty):
    response = refusal(hasty, "/undecided")

    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert json.loads(response.body)["code"] == "no_answer"
    assert hasty.hears("asked")


@pytest.mark.parametrize("begun", [(), ("GET /live HTTP/1.1",), ("GET /echo HTTP/1.1", "Upgrade: websocket")])
def test_half_a_request_is_not_waited_for(hasty, begun):
    with hasty.raw(*begun) as raw:
        assert received(raw) == b""


def test_a_byte_now_and_then_keeps_no_connection_open(hasty):
    with hasty.raw("GET /live HTTP/1.1") as raw:
        raw.settimeout(0.1)
        for _ in range(100):
            try:
                raw.sendall(b"X")
                assert raw.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            return
    pytest.fail("still open after a hundred bytes")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_half_a_second_request_on_a_kept_connection_is_not_waited_for(start, method):
    server = start(handshake_seconds=1)
    with server.raw(f"{method} /live HTTP/1.1", "Host: usher.test", "Content-Length: 2", "") as raw:
        raw.sendall(b"{}GET /li")
        assert received(raw).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("bad", ["Authorization: Bearer " + "a" * 100_000, "no colon"], ids=["too long", "no header"])
def test_a_head_that_cannot_be_read_is_not_waited_for(server, bad):
    with server.raw(*server.handshake("/echo")[:-1], bad, "") as raw:
        try:
            answer = received(raw)
        except ConnectionError:
            answer = b""  # dropped before all of it was read
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_what_is_no_handshake_is_a_400(server):
    with server.raw(*server.handshake("/echo")[:-2], "") as raw:
        assert raw.recv(12) == b"HTTP/1.1 400"


def test_a_busy_server_turns_nobody_of_a_burst_away(start):
    server = start()
    server.terminate(signal.SIGSTOP)
    burst = [server.raw(*server.handshake("/echo")) for _ in range(300)]
    server.terminate(signal.SIGCONT)

    assert all(raw.recv(12) == b"HTTP/1.1 101" for raw in burst)
    for raw in burst:
        raw.close()


def test_bytes_that_come_before_the_decision_do_not_confuse_it(start):
    server = start(handshake_seconds=1, exit_seconds=3)
    with server.raw(*server.handshake("/undecided")) as raw:
        server.hears("asked")
        raw.sendall(b"\x81\x84\0\0\0\0\r\n\r\n")  # a frame, unmasked by its mask, that looks like the end of a head
        assert raw.recv(10) == b"HTTP/1.1 5"
    server.terminate()
    assert server.exit_code() == 0
    assert server.told.count("asked") == 1


def test_who_is_undecided_on_is_told_when_the_server_leaves(start):
    server = start(exit_seconds=5)
    with server.raw(*server.handshake("/undecided")) as raw:
        server.hears("asked")
        server.terminate()
        assert received(raw).startswith(b"HTTP/1.1 503")
    assert server.exit_code() == 0
    assert "Traceback" not in server.errors
