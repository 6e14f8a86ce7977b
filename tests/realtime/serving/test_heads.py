"""A head that is not plain is refused with words; one that is passes, and loses what nobody may be given."""

import pytest

from realtime.serving.heads import BadHead, Head, check, check_handshake, tells_two_lengths
from realtime.serving.limits import Limits

LIMITS = Limits(headers=10, line_bytes=100, head_bytes=400, body_bytes=1000)
HOST = (b"host", b"usher.test")
CHUNKED = (b"transfer-encoding", b"chunked")
KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
HANDSHAKE = (
    HOST,
    (b"upgrade", b"WebSocket"),
    (b"connection", b"keep-alive, Upgrade"),
    (b"sec-websocket-version", b"13"),
    KEY,
)


def head(*headers, method="GET", target=b"/x", version="1.1"):
    return Head(method, target, version, headers)


def typed(value):
    return (b"content-type", value)


def without(name, *more):
    return head(*(header for header in HANDSHAKE if header[0] != name), *more)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        (head(HOST, version="2.0"), 505, "expected HTTP/1.1"),
        (head(HOST, *[(b"x", b"")] * 10), 431, "at most 10 headers"),
        (head(HOST, CHUNKED, (b"content-length", b"5")), 400, "told twice"),
        (head(HOST, CHUNKED, version="1.0"), 400, "told twice"),
        (head(HOST, typed(b"text/plain; a*=foo'en'%41")), 400, "without an asterisk"),
        (head(HOST, typed(b"text/plain; a*0=x; a*1*=y")), 400, "without an asterisk"),
        (head(HOST, typed(b"text/plain; charset=hex")), 415, "expected utf-8"),
        (head(HOST, typed(b'text/plain; a=b; CharSet\xa0= "hex"')), 415, "expected utf-8"),
        (head(HOST, typed(b"text/plain; charset=utf-8; charset=hex")), 415, "expected utf-8"),
        (head(HOST, typed(b"text/plain; charset=")), 415, "expected utf-8"),
        (head(HOST, target=b"/" + b"x" * 100), 431, "100 bytes for each"),
        (head(HOST, *[(b"x", b"y" * 90)] * 5), 431, "400 in all"),
        (head(HOST, target=b"http://usher.test/x"), 400, "begins with a slash"),
        (head(HOST, target=b"/x#y"), 400, "begins with a slash"),
        (head(HOST, target=b"/\xff"), 400, "begins with a slash"),
        (head(HOST, (b"x y", b"")), 400, "cannot be read"),
        (head(HOST, (b"x", b"\0")), 400, "cannot be read"),
        (head(HOST, HOST), 400, "host is there twice"),
        (head(HOST, (b"authorization", b"a"), (b"authorization", b"b")), 400, "authorization is there twice"),
        (head(), 400, "host is missing"),
        (head(HOST, (b"content-length", b"1001")), 413, "at most 1000 bytes"),
        (head(HOST, (b"content-length", b"9" * 80)), 413, "at most 1000 bytes"),
    ],
)
def test_what_is_not_plain_is_refused_and_told_why(given, status, words):
    with pytest.raises(BadHead, match=words) as refused:
        check(given, LIMITS)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "given",
    [
        head(HOST),
        head(HOST, *[(b"x", b"")] * 9),
        head(HOST, CHUNKED),
        head(HOST, typed(b"application/json;charset=UTF-8")),
        head(HOST, typed(b'multipart/form-data; boundary="--(x)"; charset="utf-8"')),
        head(version="1.0"),
        head(HOST, (b"content-length", b"0001000")),
        head(HOST, (b"accept", b"a"), (b"accept", b"b"), (b"x", "ü".encode())),
        head(HOST, target=b"/x%00?y=[]{}|;'"),
    ],
)
def test_what_is_plain_passes(given):
    check(given, LIMITS)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        (head(*HANDSHAKE, method="POST"), 400, "expected GET"),
        (head(*HANDSHAKE, version="1.0"), 400, "expected GET and HTTP/1.1"),
        (head(*HANDSHAKE, (b"content-length", b"5")), 400, "no body"),
        (head(*HANDSHAKE, (b"transfer-encoding", b"chunked")), 400, "no body"),
        (without(b"sec-websocket-version"), 426, "expected Sec-WebSocket-Version: 13"),
        (without(b"sec-websocket-key"), 400, "16 bytes in base64"),
        (without(b"sec-websocket-key", (KEY[0], b"c2hvcnQ=")), 400, "16 bytes in base64"),
        (without(b"sec-websocket-key", (KEY[0], b"!" * 24)), 400, "16 bytes in base64"),
        (head(*HANDSHAKE, (b"sec-websocket-protocol", b"a, b, a")), 400, "twice"),
        (head(*HANDSHAKE, *[(b"sec-websocket-protocol", b"a")] * 2), 400, "twice"),
        (head(*HANDSHAKE, (b"sec-websocket-protocol", b"")), 400, "is none"),
        (head(*HANDSHAKE, (b"sec-websocket-protocol", b"a b")), 400, "is none"),
    ],
)
def test_what_is_no_handshake_is_refused_and_told_why(given, status, words):
    with pytest.raises(BadHead, match=f"(?i){words}") as refused:
        check_handshake(given)
    assert refused.value.status == status


def test_a_version_that_is_not_known_is_answered_with_the_one_that_is():
    with pytest.raises(BadHead) as refused:
        check_handshake(without(b"sec-websocket-version", (b"sec-websocket-version", b"8")))
    assert refused.value.headers == [(b"sec-websocket-version", b"13")]


def test_a_good_handshake_passes():
    check_handshake(head(*HANDSHAKE, (b"sec-websocket-protocol", b"usher.v1, other"), (b"content-length", b"0")))


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        (head(*HANDSHAKE), True),
        (without(b"upgrade"), False),
        (without(b"upgrade", (b"upgrade", b"h2c")), False),
        (without(b"connection"), False),
        (without(b"connection", (b"connection", b"keep-alive")), False),
    ],
)
def test_only_both_headers_together_ask_for_a_websocket(given, asks):
    assert given.asks_for_websocket is asks


def test_an_application_is_not_given_what_could_pass_for_another_header():
    given = head(HOST, (b"x_forwarded_for", b"127.0.0.1"), (b"sec-websocket-extensions", b";;="), (b"x-y", b"z"))

    assert given.known_headers == [HOST, (b"x-y", b"z")]


@pytest.mark.parametrize(
    ("began", "tells"),
    [
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\ncontent-length :0\r\n\r\n", True),
        (b"GET / HTTP/1.1\nContent-Length: 0\nContent-Length: 0\n\n", True),
        (b"GET / HTTP/1.1\r\nContent-Length: 0, 0\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\nX: Content-Length: 0\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\n\nContent-Length: 0", False),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n", False),
    ],
)
def test_two_lengths_are_seen_in_a_whole_head_only(began, tells):
    assert tells_two_lengths(began) is tells
