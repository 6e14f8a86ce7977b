"""Handshakes as they should not be, each with a good token, and the status that answers them under every server."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.stories.hostile.wire import PATH, Header, handshake_headers, request

OUR_PAGE = "http://127.0.0.1:8000"
"""The one origin that the servers of these tests allow."""
Change = Callable[[list[Header], Random], list[Header]]


@dataclass(frozen=True, slots=True)
class Handshake:
    """One class of input. ``expected`` are the answers that are right; ``change`` makes the headers wrong."""

    name: str
    expected: frozenset[str]
    change: Change = lambda headers, random: headers
    line: str = f"GET {PATH} HTTP/1.1"
    tail: bytes = b""

    def bytes_of(self, token: str, random: Random) -> bytes:
        """Return the handshake's bytes."""
        headers = self.change(handshake_headers(token), random)
        return request(self.line.replace("<token>", token), headers, self.tail)


def _with(name: str, value: str | bytes) -> Change:
    """Put a header in the place of the one of that name, or add it."""
    return lambda headers, _: [*(h for h in headers if h[0] != name), (name, value)]


def _without(name: str) -> Change:
    return lambda headers, _: [h for h in headers if h[0] != name]


def _twice(name: str) -> Change:
    return lambda headers, _: [*headers, *(h for h in headers if h[0] == name)]


def _more(*more: Header) -> Change:
    return lambda headers, _: [*headers, *more]


def _origins(*origins: str | bytes) -> Change:
    return _more(*(("Origin", origin) for origin in origins))


def _bad(name: str, change: Change, *expected: str) -> Handshake:
    return Handshake(name, frozenset(expected or ("400",)), change)


def _line(name: str, line: str, *expected: str) -> Handshake:
    return Handshake(name, frozenset(expected), line=line)


ALLOWED_ORIGINS = [OUR_PAGE, "HTTP://127.0.0.1:8000"]
FOREIGN_ORIGINS: list[str | bytes] = [
    "https://127.0.0.1:8000",
    "ws://127.0.0.1:8000",
    "ftp://127.0.0.1:8000",
    "file://",
    "http://127.0.0.1",
    "http://127.0.0.1:80",
    "http://127.0.0.1:8001",
    "http://127.0.0.1:",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:08000",
    "http://127.0.0.1:-8000",
    "http://127.0.0.1:8000x",
    "http://127.0.0.1:+8000",
    "http://127.0.0.1.:8000",
    "http://127.0.0.1:8000.",
    "http://127.0.0.1.evil.test:8000",
    "http://evil.test/http://127.0.0.1:8000",
    "http://evil127.0.0.1:8000",
    "http://127.0.0.1:8000@evil.test",
    "http://evil.test@127.0.0.1:8000",
    "http://@127.0.0.1:8000",
    "http://127.1:8000",
    "http://2130706433:8000",
    "http://0x7f.0.0.1:8000",
    "http://127.000.000.001:8000",
    "http://[::1]:8001",
    "http://[::1",
    "http://[::ffff:127.0.0.1]:8000",
    "http://[127.0.0.1]:8000",
    "http://127.0.0.1:8000/",
    "http://127.0.0.1:8000/page",
    "http://127.0.0.1:8000?",
    "http://127.0.0.1:8000#",
    "http://127.0.0.1:8000;",
    "http://127.0.0.1:8000\\",
    "http:/127.0.0.1:8000",
    "http:127.0.0.1:8000",
    "//127.0.0.1:8000",
    "127.0.0.1:8000",
    "null",
    "NULL",
    "about:blank",
    "data:text/html,x",
    "*",
    "",
    "http://",
    "http://127.0.0.1:8000, http://127.0.0.1:8000",
    "http://127.0.0.1:8000 http://evil.test",
    "http://evil.test http://127.0.0.1:8000",
    "http://xn--pypal-4ve.com",
    "http://p\xe4ypal.test:8000",
    "http://１２７.0.0.1:8000".encode(),
    "http://127.0.0.1%00:8000",
    "http://127.0.0.1%2e:8000",
    "chrome-extension://abcdefghijklmnop",
    "http://" + "a" * 4000 + ".test",
]
CONTROL = [
    b"http://127.0.0.1:8000\0",
    b"http://127.0.0.1\x01:8000",
    b"http://127.0.0.1:8000\x7f",
    b"http://127.0.0.1\r:8000",
]

ORIGINS = [
    *(_bad(f"our origin, {origin!r}", _origins(origin), "101") for origin in ALLOWED_ORIGINS),
    *(_bad(f"origin {origin[:50]!r}", _origins(origin), "403") for origin in FOREIGN_ORIGINS),
    *(_bad(f"origin {origin!r}", _origins(origin)) for origin in CONTROL),
    _bad("two origins, both ours", _origins(OUR_PAGE, OUR_PAGE)),
    _bad("two origins, ours first", _origins(OUR_PAGE, "http://evil.test")),
    _bad("two origins, ours last", _origins("http://evil.test", OUR_PAGE)),
    _bad("two origins in two spellings", _more(("Origin", "http://evil.test"), ("ORIGIN", OUR_PAGE))),
    # What a server or a proxy makes of an underscore must not shadow the header that counts.
    _bad(
        "a foreign origin, and ours with an underscore",
        _more(("Origin", "http://evil.test"), ("Or_igin", OUR_PAGE)),
        "403",
    ),
    _bad(
        "ours where old drafts have it",
        _more(("Sec-WebSocket-Origin", OUR_PAGE), ("Origin", "http://evil.test")),
        "403",
    ),
]

DUPLICATES = [
    _bad("Authorization twice", _twice("Authorization")),
    _bad("Authorization twice, the first no bearer", lambda h, _: [("Authorization", "Basic eDp5"), *h]),
    _bad("Host twice", _twice("Host")),
    _bad("Host twice, another", _more(("Host", "evil.test"))),
    _bad("Sec-WebSocket-Key twice", _twice("Sec-WebSocket-Key")),
    _bad("Sec-WebSocket-Version twice", _twice("Sec-WebSocket-Version")),
    _bad("Upgrade twice", _twice("Upgrade")),
    _bad("usher.v1 offered twice", _more(("Sec-WebSocket-Protocol", "usher.v1, usher.v1"))),
    _bad("usher.v1 offered in two headers", _more(*[("Sec-WebSocket-Protocol", "usher.v1")] * 2)),
    _bad(
        "two versions offered in two headers",
        _more(("Sec-WebSocket-Protocol", "usher.v9"), ("Sec-WebSocket-Protocol", "usher.v1")),
        "101",
    ),
]

WRONG = [
    _bad("no Host", _without("Host")),
    _bad("no key", _without("Sec-WebSocket-Key")),
    _bad("an empty key", _with("Sec-WebSocket-Key", "")),
    _bad("a short key", _with("Sec-WebSocket-Key", "c2hvcnQ=")),
    _bad("a long key", _with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXRoZSBzYW1wbGUgbm9uY2U=")),
    _bad("a key that is no base64", _with("Sec-WebSocket-Key", "!" * 22 + "==")),
    _bad("no version", _without("Sec-WebSocket-Version"), "426"),
    *(
        _bad(f"version {version!r}", _with("Sec-WebSocket-Version", version), "426")
        for version in ("0", "7", "8", "12", "14", "99", "-13", "13.0", "13, 8", "x", "", "9" * 5000)
    ),
    _bad("Connection without Upgrade", _with("Connection", "keep-alive"), "404"),
    _bad("no Connection", _without("Connection"), "404"),
    _bad("Connection: keep-alive, Upgrade", _with("Connection", "keep-alive, Upgrade"), "101"),
    _bad("Connection twice, Upgrade first", _more(("Connection", "keep-alive")), "101"),
    _bad("Connection twice, Upgrade last", lambda h, _: [("Connection", "keep-alive"), *h], "101"),
    _bad("upgrade in upper case", _with("Upgrade", "WEBSOCKET"), "101"),
    _bad("an upgrade to something else", _with("Upgrade", "h2c"), "404"),
    _bad("an upgrade to two things", _with("Upgrade", "h2c, websocket"), "404"),
    _bad("no Upgrade", _without("Upgrade"), "404"),
    _bad("an unknown subprotocol", _more(("Sec-WebSocket-Protocol", "usher.v9"))),
    _bad("an empty subprotocol", _more(("Sec-WebSocket-Protocol", ""))),
    _bad("a subprotocol that is none", _more(("Sec-WebSocket-Protocol", 'usher.v1, "<>@'))),
    _bad(
        "a thousand subprotocols",
        _more(("Sec-WebSocket-Protocol", ", ".join(map(str, range(1000))) + ", usher.v1")),
        "101",
        "400",
        "431",
    ),
    _bad("an extension", _more(("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=99")), "101"),
    _bad("an extension that is none", _more(("Sec-WebSocket-Extensions", ';;=",,')), "101"),
    _bad("a thousand extensions", _more(("Sec-WebSocket-Extensions", ", ".join(["x; a=1"] * 1000))), "431"),
    _bad("a body", lambda h, _: [*h, ("Content-Length", "5")]),
    _bad("no bearer", _with("Authorization", "Basic eDp5"), "401"),
    _bad("a bearer of nothing", _with("Authorization", "Bearer "), "401"),
    _bad(
        "a bearer of noise",
        lambda h, random: _with("Authorization", b"Bearer " + random.randbytes(60).hex().encode())(h, random),
        "401",
    ),
    _bad("a bearer that is no ASCII", _with("Authorization", b"Bearer \xff\xfe"), "401"),
    _bad("two tokens in one header", _with("Authorization", "Bearer a, b")),
    _bad("a header's name with a space", _more(("X bad", "1"))),
    _bad("a header's name with a colon before it", _more((": x", "1"))),
    _bad("a header without a name", _more(("", "1"))),
    _bad("a folded header", _more(("X-Folded", "a\r\n b")), "101", "400"),
    _bad("a header of NULs", _more(("X-Nul", b"\0\0"))),
    _bad("a header of 5 KB", _more(("X-Long", "x" * 5_000)), "101"),
    _bad("a header of 20 KB", _more(("X-Long", "x" * 20_000)), "431"),
    _bad("a header of 1 MB", _more(("X-Long", "x" * 1_000_000)), "400", "431", "dropped"),
    _bad("a token of 100 KB", _with("Authorization", "Bearer " + "x" * 100_000), "400", "431", "dropped"),
    _bad("200 headers", _more(*((f"X-{n}", "1") for n in range(200))), "431"),
    _bad("50,000 headers", _more(*((f"X-{n}", "1") for n in range(50_000))), "400", "431", "dropped"),
]

LINES = [
    _line("an absolute target", f"GET http://127.0.0.1{PATH} HTTP/1.1", "400"),
    _line("an absolute target elsewhere", f"GET http://evil.test{PATH} HTTP/1.1", "400"),
    _line("a target of two slashes", f"GET /{PATH} HTTP/1.1", "404"),
    _line("a target that climbs", f"GET /x/..{PATH} HTTP/1.1", "404"),
    _line("a target in percent signs", "GET /ws/user%5fnotifications/ HTTP/1.1", "101", "404"),
    _line("no slash at the end", f"GET {PATH[:-1]} HTTP/1.1", "404"),
    _line("a target with NUL", f"GET {PATH}%00 HTTP/1.1", "404"),
    _line("a fragment", f"GET {PATH}#x HTTP/1.1", "400"),
    _line("an asterisk", "GET * HTTP/1.1", "400"),
    _line("HEAD", f"HEAD {PATH} HTTP/1.1", "400"),
    _line("POST", f"POST {PATH} HTTP/1.1", "400"),
    _line("CONNECT", "CONNECT 127.0.0.1:80 HTTP/1.1", "400"),
    _line("a made-up method", f"FOO {PATH} HTTP/1.1", "400"),
    _line("HTTP/1.0", f"GET {PATH} HTTP/1.0", "400"),
    _line("HTTP/0.9", f"GET {PATH}", "400"),
    _line("HTTP/2.0", f"GET {PATH} HTTP/2.0", "400", "505"),
    _line("HTTP/1.2", f"GET {PATH} HTTP/1.2", "400", "505"),
    _line("a line of nothing", "", "400", "101"),
    _line("a line of 70 KB", f"GET {PATH}?{'x' * 70_000} HTTP/1.1", "400", "414", "431", "dropped"),
    _line("bytes that are no ASCII", f"GET {PATH}?after=\xff HTTP/1.1", "400"),
    _line("a token in the address", f"GET {PATH}?x=<token> HTTP/1.1", "400"),
    _line("a token by name", f"GET {PATH}?access_token=x HTTP/1.1", "400"),
    _line("a token by a name in percent signs", f"GET {PATH}?%74oken=x HTTP/1.1", "400"),
    _line("a parameter twice", f"GET {PATH}?after=a&after=b HTTP/1.1", "400"),
    _line("a cursor that is none", f"GET {PATH}?after=%27%3BDROP HTTP/1.1", "101"),
    _line("a cursor of 4000 characters", f"GET {PATH}?after={'a' * 4000} HTTP/1.1", "101"),
    _line("a cursor of NULs", f"GET {PATH}?after=%00%00 HTTP/1.1", "101"),
    _line("percent signs that are none", f"GET {PATH}?after=%zz%f HTTP/1.1", "101"),
    _line("bytes in percent signs that are no UTF-8", f"GET {PATH}?after=%ff%fe HTTP/1.1", "101"),
    _line(
        "2000 parameters", f"GET {PATH}?{'&'.join(f'p{n}=' for n in range(2000))} HTTP/1.1", "101", "400", "414", "431"
    ),
]

HANDSHAKES = [*ORIGINS, *DUPLICATES, *WRONG, *LINES]
