"""What a client may send: a message of the protocol, or a verdict, and nothing else."""

import json

from realtime import protocol
from realtime.protocol import Auth, Close, NotUnderstood

SEEDS = [
    b'{"type":"auth","token":"eyJhbGciOiJIUzI1NiJ9.e30.AAAA"}',
    b'{"type":"pong"}',
    b'{"token":"x","type":"auth"}',
    b'{"type":"auth","token":"\\u00e9\\ud83d\\ude00"}',
    b'{"type":"auth","token":7}',
    b'{"type":"pong","more":[{"a":[null,true,1e5,-0.0]}]}',
    b"\xff" + b"[" * 200,
    b"",
]
WORDS = [b'"type"', b'"token"', b'"auth"', b'"pong"', b"{", b"}", b":", b",", b"\\u0000", b"\\ud800", b"NaN", b"1e999"]


def check(data: bytes) -> None:
    """Parse it as text, in each way in which bytes can be text."""
    for text in {data.decode("latin-1"), data.decode(errors="replace"), data.decode(errors="surrogateescape")}:
        _check(text)
    try:
        protocol.parse(None)
    except NotUnderstood as error:
        assert error.close is Close.BAD_MESSAGE
    else:
        raise AssertionError("a binary frame was understood")


def _check(text: str) -> None:
    try:
        said = protocol.parse(text)
    except NotUnderstood as error:
        is_too_large = len(text.encode(errors="surrogatepass")) > protocol.LONGEST_MESSAGE
        assert error.close in ({Close.TOO_LARGE, Close.BAD_MESSAGE} if is_too_large else {Close.BAD_MESSAGE}), (
            error.close
        )
        return
    # Another parser of JSON must find just that message and no member besides.
    meant = json.loads(text)
    expected = {"type": "auth", "token": said.token} if isinstance(said, Auth) else {"type": "pong"}
    assert meant == expected, f"{text!r} was taken for {said!r}"
    assert len(text.encode()) <= protocol.LONGEST_MESSAGE
