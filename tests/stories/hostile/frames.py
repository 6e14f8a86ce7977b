"""
What a client may send on an open socket, as bytes, and what becomes of the socket: the same under every server.

Classes 1 to 7 of the Autobahn test suite are here as far as they make sense where a client may say two things only.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.stories.hostile.wire import BINARY, CLOSE, PING, PONG, TEXT, frame, said, text

Bytes = Callable[[Random], bytes]
PONG_TEXT = b'{"type":"pong"}'
NOT_UTF8 = (
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed",
)
GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


@dataclass(frozen=True, slots=True)
class Frames:
    """One class of input. ``expected`` are the verdicts that are right."""

    name: str
    make: Bytes
    expected: frozenset[str]

    @property
    def may_stay(self) -> bool:
        """Whether the socket may be open afterwards."""
        return "open" in self.expected


def _frames(name: str, make: Bytes | bytes, *expected: str) -> Frames:
    return Frames(name, (lambda _: make) if isinstance(make, bytes) else make, frozenset(expected))


def _pieces(payload: bytes, random: Random, *, opcode: int = TEXT, between: bytes = b"") -> bytes:
    """Return a message in fragments of random sizes, with ``between`` after each but the last."""
    pieces = []
    while payload:
        size = random.randint(1, max(1, len(payload) // 2))
        pieces.append(payload[:size])
        payload = payload[size:]
    last = len(pieces) - 1
    return b"".join(
        frame(0 if number else opcode, piece, fin=number == last) + (b"" if number == last else between)
        for number, piece in enumerate(pieces)
    )


def _noise(size: int, random: Random) -> bytes:
    return random.randbytes(size)


def _deep(random: Random) -> bytes:
    return b"[" * random.randint(1000, 8000)


# "dropped" stands where a server ends a connection of which it has not read all: the reset may cost its last words.
FINE = [
    _frames("a pong of the protocol's", text(PONG_TEXT), "open"),
    _frames("an empty ping", frame(PING), "open"),
    _frames("a ping of 125 bytes", lambda random: frame(PING, _noise(125, random)), "open"),
    _frames("a pong nobody asked for", lambda random: frame(PONG, _noise(random.randint(0, 125), random)), "open"),
    _frames("ten pings", frame(PING, b"x") * 10, "open"),
    _frames("a message in fragments", lambda random: _pieces(PONG_TEXT, random), "open"),
    _frames("pings between fragments", lambda random: _pieces(PONG_TEXT, random, between=frame(PING, b"x")), "open"),
    _frames("pongs between fragments", lambda random: _pieces(PONG_TEXT, random, between=frame(PONG)), "open"),
    _frames("an empty fragment first", frame(TEXT, fin=False) + frame(0, PONG_TEXT), "open"),
    _frames("an empty fragment last", frame(TEXT, PONG_TEXT, fin=False) + frame(0), "open"),
    _frames("a length in more bits than it needs", frame(TEXT, PONG_TEXT, width=16), "open", "1002"),
    _frames("a length in 64 bits", frame(TEXT, PONG_TEXT, width=64), "open", "1002"),
    _frames("white space around", text(b" \n" + PONG_TEXT + b"\t"), "open"),
]

TOO_LARGE = [
    _frames("8193 bytes", text(b"x" * 8193), "4413"),
    _frames("65536 bytes", text(b"x" * 65_536), "4413"),
    _frames("65537 bytes", text(b"x" * 65_537), "1009", "dropped"),
    _frames("65537 binary bytes", frame(BINARY, b"\0" * 65_537), "1009", "dropped"),
    _frames("2^17 declared", lambda random: frame(TEXT, b"x" * random.randint(0, 99), declared=2**17), "1009"),
    _frames("2^31 declared", lambda random: frame(TEXT, b"x" * random.randint(0, 99), declared=2**31), "1009"),
    _frames("2^32 declared", frame(BINARY, b"x", declared=2**32), "1009"),
    _frames("2^63 - 1 declared", frame(TEXT, b"x", declared=2**63 - 1), "1009"),
    _frames("2^63 declared", frame(TEXT, b"x", declared=2**63), "1002", "1009"),
    _frames("2^64 - 1 declared", frame(TEXT, b"x", declared=2**64 - 1), "1002", "1009"),
    _frames(
        "ten fragments of 8 KiB",
        frame(TEXT, b"x" * 8192, fin=False) + frame(0, b"x" * 8192, fin=False) * 9,
        "1009",
        "dropped",
    ),
    _frames("a fragment that declares too much", frame(TEXT, b"x", fin=False) + frame(0, b"x", declared=2**20), "1009"),
]

FRAGMENTED = [
    _frames(
        "10,000 fragments of one byte",
        frame(TEXT, b"x", fin=False) + frame(0, b"x", fin=False) * 9_998 + frame(0, b"x"),
        "1009",
        "dropped",
    ),
    _frames(
        "10,000 empty fragments",
        frame(TEXT, fin=False) + frame(0, fin=False) * 9_998 + frame(0, PONG_TEXT),
        "1009",
        "dropped",
    ),
    _frames("a continuation without a start", frame(0, b"x"), "1002"),
    _frames("an unfinished continuation without a start", frame(0, b"x", fin=False), "1002"),
    _frames("a continuation after a whole message", text(PONG_TEXT) + frame(0, b"x"), "1002"),
    _frames("a message inside a message", frame(TEXT, b"{", fin=False) + text(PONG_TEXT), "1002"),
    _frames("binary inside a message", frame(TEXT, b"{", fin=False) + frame(BINARY, b"x"), "1002"),
    _frames("a ping in fragments", frame(PING, b"x", fin=False) + frame(0, b"x"), "1002"),
    _frames("a close in fragments", frame(CLOSE, b"\x03", fin=False) + frame(0, b"\xe8"), "1002"),
    _frames("a close inside a message", frame(TEXT, b"{", fin=False) + frame(CLOSE, b"\x03\xe8"), "1000", "1002"),
]

MALFORMED = [
    *(_frames(f"reserved bits {bits} on text", text(PONG_TEXT, reserved=bits), "1002") for bits in range(1, 8)),
    _frames("a reserved bit on a ping", lambda random: frame(PING, reserved=random.randint(1, 7)), "1002"),
    _frames("a reserved bit on a close", frame(CLOSE, b"\x03\xe8", reserved=4), "1002"),
    _frames("what looks compressed", text(b"\xaaV*\xa9,HU\xb2R*\xc8\xcfKW\xaa\x05\x00", reserved=4), "1002"),
    *(_frames(f"reserved opcode {code}", frame(code, b"x"), "1002") for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    _frames("a frame without a mask", frame(TEXT, PONG_TEXT, masked=False), "1002"),
    _frames("a ping without a mask", frame(PING, masked=False), "1002"),
    _frames("a ping of 126 bytes", frame(PING, b"x" * 126), "1002"),
    _frames("a pong of 126 bytes", frame(PONG, b"x" * 126), "1002"),
    _frames("a close of 126 bytes", frame(CLOSE, b"\x03\xe8" + b"x" * 124), "1002"),
    _frames("a ping that declares 2^63 - 1", frame(PING, declared=2**63 - 1), "1002", "1009"),
    _frames("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "1002"),
]

NO_TEXT = [
    *(_frames(f"invalid UTF-8 {bad.hex()}", text(b'{"type":"' + bad + b'"}'), "1007") for bad in NOT_UTF8),
    _frames("half a character", text(b"\xe2\x82"), "1007"),
    _frames("a bad character across fragments", frame(TEXT, b"\xe2", fin=False) + frame(0, b"\x28\xa1"), "1007"),
    _frames("a good character across fragments", frame(TEXT, b'"\xe2', fin=False) + frame(0, b'\x82\xac"'), "4400"),
    _frames("NUL", text(b"\0"), "4400"),
]

# What comes in one packet is parsed as a whole by one server, which sees the close before the text: either is right.
ALONG = [
    _frames("no text, and a close with it", text(b"\xff") + frame(CLOSE, b"\x03\xe8"), "1000", "1007"),
    _frames("no text, three times", text(b"\xff") * 3, "1007"),
    _frames("no text, and a frame without a mask", text(b"\xff") + frame(PING, masked=False), "1002", "1007"),
    _frames("a close, and no text with it", frame(CLOSE, b"\x03\xe8") + text(b"\xff"), "1000"),
    _frames("no text, and no message", text(b"\xff") + text("{"), "1007"),
]
"""These are sent in one packet with the handshake too."""

CLOSES = [
    _frames("a close without a code", frame(CLOSE), "1000", "1005"),
    _frames("a close of one byte", frame(CLOSE, b"\x03"), "1002"),
    *(_frames(f"a close with {code}", frame(CLOSE, struct.pack("!H", code)), str(code)) for code in GOOD_CODES),
    *(_frames(f"a close with {code}", frame(CLOSE, struct.pack("!H", code)), "1002") for code in BAD_CODES),
    _frames("a close with a reason", frame(CLOSE, b"\x03\xe8" + "tschüss".encode()), "1000"),
    _frames("a close with a reason that is no text", frame(CLOSE, b"\x03\xe8\xce\xba\xff"), "1007", "1002"),
    _frames("two closes", frame(CLOSE, b"\x03\xe8") * 2, "1000"),
    _frames("a message after a close", frame(CLOSE, b"\x03\xe8") + text("{"), "1000"),
]

NO_MESSAGES = [
    _frames("nothing", text(b""), "4400"),
    _frames("binary", frame(BINARY, PONG_TEXT), "4400"),
    _frames("binary noise", lambda random: frame(BINARY, _noise(random.randint(0, 8192), random)), "4400"),
    _frames("binary in fragments", lambda random: _pieces(PONG_TEXT, random, opcode=BINARY), "4400"),
    _frames("half an object", text('{"type":'), "4400"),
    _frames("two objects", text(PONG_TEXT * 2), "4400"),
    _frames("a list", text("[]"), "4400"),
    _frames("null", text("null"), "4400"),
    _frames("a string", text('"pong"'), "4400"),
    _frames("an unknown type", said(type="subscribe", group="tenant_1_user_notifications"), "4400"),
    _frames("a type that is a number", said(type=7), "4400"),
    _frames("a type that is an object", said(type={"type": "pong"}), "4400"),
    _frames("no type", said(token="x"), "4400"),
    _frames("an unknown member", said(type="pong", more=1), "4400"),
    _frames("auth without a token", said(type="auth"), "4400"),
    _frames("a token that is a list", said(type="auth", token=["x"]), "4400"),
    _frames("a token that is none", said(type="auth", token="x"), "4401"),
    _frames("an empty token", said(type="auth", token=""), "4401"),
    _frames("a token of 8000 characters", said(type="auth", token="x" * 8000), "4401"),
    _frames("a token with NUL and quotes", said(type="auth", token="\0'\"\\%00.e30.x"), "4401"),
    _frames("a lone surrogate", text('{"type":"auth","token":"\\ud800"}'), "4400", "4401"),
    _frames("NaN", text("NaN"), "4400"),
    _frames("NaN as a member", text('{"type":"pong","n":NaN}'), "4400"),
    _frames("infinity", text('{"type":"pong","n":-Infinity}'), "4400"),
    _frames("a number of 5000 digits", text('{"type":' + "9" * 5000 + "}"), "4400"),
    _frames("a number too large for a float", text('{"type":"pong","n":1e99999}'), "4400"),
    _frames("deep brackets", lambda random: text(_deep(random)), "4400"),
    _frames("deep objects", text('{"type":' * 1000), "4400"),
    _frames("100,000 brackets", text(b"[" * 100_000), "1009", "dropped"),
    _frames("a key twice", text('{"type":"pong","type":"pong"}'), "4400"),
    _frames("two tokens", text('{"type":"auth","token":"x","token":"y"}'), "4400"),
    _frames("a key twice, once escaped", text('{"type":"pong","\\u0074ype":"pong"}'), "4400"),
    _frames("a byte order mark", text(b"\xef\xbb\xbf" + PONG_TEXT), "4400"),
    _frames("single quotes", text("{'type':'pong'}"), "4400"),
    _frames("a comment", text('{"type":"pong"/**/}'), "4400"),
    _frames("a comma too many", text('{"type":"pong",}'), "4400"),
    _frames("upper case", text('{"TYPE":"pong"}'), "4400"),
    _frames("noise that is text", lambda random: text(_noise(99, random).hex()), "4400"),
]

FRAMES = [*FINE, *TOO_LARGE, *FRAGMENTED, *MALFORMED, *NO_TEXT, *ALONG, *CLOSES, *NO_MESSAGES]
