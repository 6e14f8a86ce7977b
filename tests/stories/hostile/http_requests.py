"""HTTP requests as they should not be, and the statuses that answer them, one after the other, under every server."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.stories.hostile.wire import Header, request

LOG_IN = "POST /api/v1/auth/token HTTP/1.1"
LIST = "GET /api/v1/users HTTP/1.1"
LIVE = "GET /livez HTTP/1.1"
LIVE_BEFORE = "GET /livez HTTP/1.0"
HOST: Header = ("Host", "127.0.0.1")
CLOSE: Header = ("Connection", "close")
JSON: Header = ("Content-Type", "application/json")
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
"""Whoever answers this has taken part of a body for a request."""


@dataclass(frozen=True, slots=True)
class Request:
    """One class of input; ``make`` gets a good token. ``expected`` are the rows of statuses that are right."""

    name: str
    expected: frozenset[str]
    make: Callable[[str, Random], bytes]


def _raw(name: str, data: bytes, *expected: str) -> Request:
    return Request(name, frozenset(expected), lambda token, random: data)


def _get(name: str, line: str, *expected: str, more: tuple[Header, ...] = ()) -> Request:
    return _raw(name, request(line, [HOST, CLOSE, *more]), *expected)


def _list(name: str, *expected: str, line: str = LIST, more: tuple[Header, ...] = ()) -> Request:
    """Return a request for the list of users, with a good token (``<token>`` in the line stands for another place)."""

    def make(token: str, random: Random) -> bytes:
        headers = [HOST, CLOSE, ("Authorization", f"Bearer {token}"), *more]
        return request(line.replace("<token>", token), headers)

    return Request(name, frozenset(expected), make)


def _post(name: str, body: bytes | str, *expected: str, line: str = LOG_IN) -> Request:
    data = body if isinstance(body, bytes) else body.encode()
    return _raw(name, request(line, [HOST, CLOSE, JSON, ("Content-Length", str(len(data)))], data), *expected)


def _framed(name: str, headers: list[Header], body: bytes, *expected: str) -> Request:
    """Return a log-in whose body's length is told in a way of its own."""
    return _raw(name, request(LOG_IN, [HOST, CLOSE, JSON, *headers], body), *expected)


def _chunks(size: int, count: int) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (size, b"x" * size) for _ in range(count)) + b"0\r\n\r\n"


GOOD = json.dumps({"tenant": "acme", "username": "nobody", "password": "wrong-horse"})

FORM = b'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\nx\r\n--x--\r\n'

FINE = [
    _get("a sign of life", LIVE, "200"),
    _list("a list", "200"),
    _raw("two in one go", request(LIVE, [HOST]) + request(LIVE, [HOST, CLOSE]), "200 200"),
    _raw("twenty in one go", request(LIVE, [HOST]) * 19 + request(LIVE, [HOST, CLOSE]), " ".join(["200"] * 20)),
    _raw("HTTP/1.0", request(LIVE_BEFORE, [HOST]), "200"),
    _get("HEAD", "HEAD /livez HTTP/1.1", "200"),
]

LINES = [
    _get("POST where only GET is", "POST /livez HTTP/1.1", "405", more=(("Content-Length", "0"),)),
    _get("DELETE at the root", "DELETE / HTTP/1.1", "405"),
    _get("a made-up method", "FOO /livez HTTP/1.1", "400", "405", "501"),
    _get("TRACE", "TRACE /livez HTTP/1.1", "400", "405"),
    _get("CONNECT", "CONNECT 127.0.0.1:80 HTTP/1.1", "400", "404", "405"),
    _get("an asterisk", "OPTIONS * HTTP/1.1", "400", "404"),
    _get("an absolute target", "GET http://127.0.0.1/livez HTTP/1.1", "400"),
    _get("an absolute target elsewhere", "GET http://evil.test/livez HTTP/1.1", "400"),
    _get("a target that climbs", "GET /../../etc/passwd HTTP/1.1", "400", "404"),
    _get("a static file that climbs", "GET /static/../../manage.py HTTP/1.1", "400", "404"),
    _get("a static file that climbs in percent signs", "GET /static/%2e%2e/%2e%2e/manage.py HTTP/1.1", "400", "404"),
    _get("a target of two slashes", "GET //evil.test/livez HTTP/1.1", "404"),
    _get("NUL in percent signs", "GET /api/v1/users/%00 HTTP/1.1", "401", "404"),
    _get("bytes in percent signs that are no UTF-8", "GET /%ff%fe HTTP/1.1", "400", "404"),
    _get("bytes that are no ASCII", "GET /\xff HTTP/1.1", "400"),
    _get("bytes in the query that are no ASCII", "GET /livez?\xff HTTP/1.1", "400"),
    _get("HTTP/2.0", "GET /livez HTTP/2.0", "400", "505"),
    _get("HTTP/1.2", "GET /livez HTTP/1.2", "400", "505"),
    _get("HTTP/9.9", "GET /livez HTTP/9.9", "400", "505"),
    _get("no version", "GET /livez", "400"),
    _get("too many words", "GET /livez x HTTP/1.1", "400"),
    _get("a tab for a space", "GET\t/livez\tHTTP/1.1", "400"),
    _get("a lower-case version", "GET /livez http/1.1", "400"),
    _get("a line of 70 KB", f"GET /livez?{'x' * 70_000} HTTP/1.1", "400", "414", "431", "dropped"),
    _get("the preface of HTTP/2", "PRI * HTTP/2.0", "400", "505"),
    _raw("TLS", bytes.fromhex("16030100c8010000c40303") + b"\0" * 200 + b"\r\n\r\n", "400", "dropped"),
    _raw("noise", bytes(range(256)) + b"\r\n\r\n", "400"),
    _raw("empty lines", b"\r\n" * 3 + request(LIVE, [HOST, CLOSE]), "200", "400"),
]

HEADERS = [
    _raw("no Host", request(LIVE, [CLOSE]), "400"),
    _get("Host twice", LIVE, "400", more=(("Host", "127.0.0.1"),)),
    _get("Host twice, another", LIVE, "400", more=(("Host", "evil.test"),)),
    _raw("a foreign Host", request(LIVE, [("Host", "evil.test"), CLOSE]), "400"),
    _raw("a Host with NUL", request(LIVE, [("Host", b"127.0.0.1\0"), CLOSE]), "400"),
    _raw("a Host with a path", request(LIVE, [("Host", "127.0.0.1/x"), CLOSE]), "400"),
    _raw("an empty Host", request(LIVE, [("Host", ""), CLOSE]), "400"),
    _get("a name with a space", LIVE, "400", more=(("X bad", "1"),)),
    _get("a space before the colon", LIVE, "400", more=(("X-Bad ", "1"),)),
    _get("no colon", LIVE, "400", more=(("X\r\nY", "1"),)),
    _get("an empty name", LIVE, "400", more=(("", "1"),)),
    _get("NUL in a value", LIVE, "400", more=(("X-Nul", "\0"),)),
    _get("a folded header", LIVE, "200", "400", more=(("X-Folded", "a\r\n b"),)),
    _get("a header of 20 KB", LIVE, "431", more=(("X-Long", "x" * 20_000),)),
    _get("a header of 1 MB", LIVE, "400", "431", "dropped", more=(("X-Long", "x" * 1_000_000),)),
    _get("100 headers", LIVE, "200", more=tuple((f"X-{n}", "1") for n in range(98))),
    _get("101 headers", LIVE, "431", more=tuple((f"X-{n}", "1") for n in range(99))),
    _get("200 headers", LIVE, "431", more=tuple((f"X-{n}", "1") for n in range(200))),
    _get("50,000 headers", LIVE, "400", "431", "dropped", more=tuple((f"X-{n}", "1") for n in range(50_000))),
    _list("Authorization twice", "400", more=(("Authorization", "Bearer x"),)),
    _raw("two tokens in one header", request(LIST, [HOST, CLOSE, ("Authorization", "Bearer a, Bearer b")]), "401"),
    _raw("Authorization with an underscore", request(LIST, [HOST, CLOSE, ("Authorization_", "x")]), "401"),
    _list("a token as parameter by another name", "400", line="GET /api/v1/users?a=<token> HTTP/1.1"),
    _list("a token as parameter's name", "400", line="GET /api/v1/users?<token>=a HTTP/1.1"),
    _list("what looks like a token as parameter", "400", line="GET /api/v1/users?a=eyJ.a.b HTTP/1.1", more=()),
    _list("a token as parameter", "400", line="GET /api/v1/users?access_token=<token> HTTP/1.1"),
    _get("no token at all but in the address", "GET /api/v1/users?token=eyJhIjoxfQ.e30.x HTTP/1.1", "400"),
    _list("a cursor that is none", "400", line="GET /api/v1/users?before=x HTTP/1.1"),
    _list("a limit of 5000 digits", "400", "414", "431", line=f"GET /api/v1/users?limit={'9' * 5000} HTTP/1.1"),
    _list("a search for NUL", "200", "400", line="GET /api/v1/users?q=%00 HTTP/1.1"),
    _list("an id that is none", "404", line="GET /api/v1/users/../../x HTTP/1.1"),
    _list("an Accept of anything but JSON", "200", "406", more=(("Accept", "text/html"),)),
    _list("an Accept that is none", "200", "400", "406", more=(("Accept", ";;q=,"),)),
    _get("a range of bytes that is none", "GET /livez HTTP/1.1", "200", more=(("Range", "bytes=9-1,x"),)),
    _get("Expect of something else", "GET /livez HTTP/1.1", "200", "417", more=(("Expect", "a miracle"),)),
]


def _hidden(name: str, headers: list[Header], body: bytes = b"", *, line: str = LIVE) -> Request:
    """Return what would be answered with 200, and hides a request for whoever goes on reading: 400, and no more."""
    return _raw(name, request(line, [HOST, *headers], body + SMUGGLED), "400")


CHUNKED: Header = ("Transfer-Encoding", "chunked")
NO_CHUNK = b"0\r\n\r\n"

HIDDEN = [
    _raw("chunks alone, and a request behind them", request(LIVE, [HOST, CHUNKED], NO_CHUNK + SMUGGLED), "200 200"),
    _hidden("length and chunks, kept alive", [("Content-Length", "5"), CHUNKED], NO_CHUNK),
    _hidden("chunks and length, kept alive", [CHUNKED, ("Content-Length", "5")], NO_CHUNK),
    _hidden("chunks in HTTP/1.0, kept alive", [CHUNKED, ("Connection", "keep-alive")], NO_CHUNK, line=LIVE_BEFORE),
    _hidden("the same length twice", [("Content-Length", "0")] * 2),
    _hidden("the same length twice in one", [("Content-Length", "0, 0")]),
]

FRAMING = [
    _framed(
        "length and chunks", [("Content-Length", "5"), ("Transfer-Encoding", "chunked")], b"0\r\n\r\n" + SMUGGLED, "400"
    ),
    _framed(
        "chunks and length", [("Transfer-Encoding", "chunked"), ("Content-Length", "5")], b"0\r\n\r\n" + SMUGGLED, "400"
    ),
    _framed("two lengths", [("Content-Length", "0"), ("Content-Length", str(len(SMUGGLED)))], SMUGGLED, "400"),
    _framed("two lengths in one", [("Content-Length", f"0, {len(SMUGGLED)}")], SMUGGLED, "400"),
    *(
        _framed(f"a length of {length!r}", [("Content-Length", length)], SMUGGLED, "400", "413")
        for length in ("-1", "+5", "0x10", "5 5", "1e3", "", "five", "٣".encode(), "99999999999999999999999")
    ),
    _framed("chunked, spelt oddly", [("Transfer-Encoding", "xchunked")], b"0\r\n\r\n" + SMUGGLED, "400", "501"),
    _framed("chunked with a tab", [("Transfer-Encoding", "\x0bchunked")], b"0\r\n\r\n" + SMUGGLED, "400", "501"),
    _framed("gzip, chunked", [("Transfer-Encoding", "gzip, chunked")], b"0\r\n\r\n" + SMUGGLED, "400", "501"),
    _framed("chunked twice", [("Transfer-Encoding", "chunked")] * 2, b"0\r\n\r\n" + SMUGGLED, "400", "501"),
    _framed("identity", [("Transfer-Encoding", "identity")], SMUGGLED, "400", "501"),
    _framed("a chunk without a size", [("Transfer-Encoding", "chunked")], b"\r\n\r\n" + SMUGGLED, "400"),
    _framed("a chunk's size that is none", [("Transfer-Encoding", "chunked")], b"xyz\r\n\r\n" + SMUGGLED, "400"),
    _framed("a chunk's size below zero", [("Transfer-Encoding", "chunked")], b"-1\r\n\r\n" + SMUGGLED, "400"),
    _framed("a chunk that is longer than it says", [("Transfer-Encoding", "chunked")], b"1\r\nxx\r\n0\r\n\r\n", "400"),
    _framed(
        "a chunk's extension of 1 MB",
        [("Transfer-Encoding", "chunked")],
        b"1;" + b"x" * 1_000_000 + b"\r\nx\r\n0\r\n\r\n",
        "400",
        "dropped",
    ),
    _raw("a bare LF after the line", LIVE.encode() + b"\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "400", "200"),
    _raw("a bare CR in a header", request(LIVE, [HOST, CLOSE, ("X-Cr", "a\rTransfer-Encoding: chunked")]), "400"),
    _get("a GET with a body", LIVE, "200", "400", more=(("Content-Length", "0"),)),
    _raw("garbage after a request", request(LIVE, [HOST]) + b"\0garbage\r\n\r\n", "200 400", "200", "400"),
    _raw("a response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "400"),
]

BODIES = [
    _post("wrong credentials", GOOD, "401"),
    _post("3 MB", b" " * 3_000_000, "413", "dropped"),
    _framed("3 MB in chunks", [("Transfer-Encoding", "chunked")], _chunks(60_000, 50), "413", "dropped"),
    _framed("100 MB announced", [("Content-Length", "100000000")], b"x" * 1000, "413"),
    _post("nothing", b"", "400"),
    _post("no JSON", b"tenant=acme", "400"),
    _post("half an object", b'{"tenant":', "400"),
    _post("a body that is a list", b"[]", "400"),
    _post("null", b"null", "400"),
    _post("5,000 levels of lists", b"[" * 5_000 + b"]" * 5_000, "400"),
    _post("5,000 levels of objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "400"),
    _post("100,000 brackets", b"[" * 100_000, "400"),
    _post("a number of 5,000 digits", b'{"tenant":' + b"9" * 5_000 + b"}", "400"),
    _post("NaN", b'{"tenant":NaN}', "400"),
    _post("a number too large", b'{"tenant":1e99999}', "400"),
    _post("a key twice", b'{"tenant":"acme","tenant":"globex","username":"a","password":"b"}', "400"),
    _post("an unknown member", GOOD[:-1] + ',"is_admin":true}', "400"),
    _post("a lone surrogate", b'{"tenant":"\\ud800","username":"a","password":"b"}', "400"),
    _post("NUL in a string", b'{"tenant":"a\\u0000","username":"a","password":"b"}', "400", "401"),
    _post("bytes that are no UTF-8", b'{"tenant":"\xff"}', "400"),
    _post("UTF-16", GOOD.encode("utf-16"), "400"),
    _post("a byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), "400"),
    _post(
        "a username of 1 MB",
        json.dumps({"tenant": "acme", "username": "x" * 1_000_000, "password": "b"}),
        "400",
        "401",
        "413",
    ),
    _raw(
        "a form",
        request(
            LOG_IN,
            [HOST, CLOSE, ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "11")],
            b"tenant=acme",
        ),
        "415",
    ),
    _raw(
        "a body of no type",
        request(LOG_IN, [HOST, CLOSE, ("Content-Length", str(len(GOOD)))], GOOD.encode()),
        "400",
        "401",
        "415",
    ),
    _raw(
        "a type of noise",
        request(LOG_IN, [HOST, CLOSE, ("Content-Type", "\xff/;=;"), ("Content-Length", "2")], b"{}"),
        "400",
        "415",
    ),
    _raw(
        "a charset that is none",
        request(
            LOG_IN,
            [HOST, CLOSE, ("Content-Type", "application/json; charset=evil"), ("Content-Length", str(len(GOOD)))],
            GOOD.encode(),
        ),
        "400",
        "401",
        "415",
    ),
    _get("an encoded parameter of a type", LIVE, "400", more=(("Content-Type", "text/plain; a*=foo'en'%41"),)),
    _get("an encoded parameter in IDNA", LIVE, "400", more=(("Content-Type", "text/plain; a*=idna'en'%ff"),)),
    _raw(
        "a form in a charset that is none for text",
        request(
            "POST /admin/login/ HTTP/1.1",
            [
                HOST,
                CLOSE,
                ("Cookie", "csrftoken=" + "x" * 32),
                ("Content-Type", "multipart/form-data; boundary=x; charset=hex"),
                ("Content-Length", str(len(FORM))),
            ],
            FORM,
        ),
        "415",
    ),
    _raw(
        "an encoding",
        request(LOG_IN, [HOST, CLOSE, JSON, ("Content-Encoding", "gzip"), ("Content-Length", "2")], b"{}"),
        "400",
        "415",
    ),
    _raw(
        "parts",
        request(
            LOG_IN,
            [HOST, CLOSE, ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Length", "9")],
            b"--x\r\n\r\n--",
        ),
        "415",
    ),
]

REQUESTS = [*FINE, *LINES, *HEADERS, *HIDDEN, *FRAMING, *BODIES]
