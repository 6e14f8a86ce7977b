"""The query of a handshake: at most one of each parameter, a cursor in its one spelling, and never a token."""

import re
from urllib.parse import unquote_plus
from uuid import UUID

from realtime import cursors, handshake
from realtime.handshake import Turned

SEEDS = [
    b"after=0190163d-8694-739b-aea5-966c26f8ad90",
    b"after=0190163d-8694-739b-aea5-966c26f8ad90&tenant=acme",
    b"after=0190163D-8694-739B-AEA5-966C26F8AD90",
    b"after=%30190163d-8694-739b-aea5-966c26f8ad90",
    b"after={0190163d-8694-739b-aea5-966c26f8ad90}",
    b"after=urn:uuid:0190163d-8694-739b-aea5-966c26f8ad90",
    b"token=eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
    b"x=eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
    b"after=a&after=b",
    b"",
]
WORDS = [
    *(b"after=", b"tenant=", b"token=", b"%00", b"%0a", b"%C3%A9", b"&", b";", b"=", b"+", b"-", b"eyJ", b"."),
    *(name.encode() for name in sorted(handshake.TOKEN_NAMES)),
]
CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# "=" too, as the reader sees a name and its value with that sign between them.
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.")


def check(data: bytes) -> None:
    """Read it as a query, and what it calls a cursor as one."""
    _check_cursor(data.decode("latin-1"))
    _check_cursor(data.decode(errors="replace"))
    try:
        asked = handshake.read({"headers": [], "query_string": data})
    except Turned as turned:
        assert turned.status == 400, turned.status
        return
    assert asked.token is None
    pieces = [unquote_plus(piece) for piece in data.decode("latin-1").split("&")]
    assert not any(TOKEN.search(piece) for piece in pieces), "a token in the address was taken"
    names = [piece.partition("=")[0].lower() for piece in pieces if piece]
    assert not handshake.TOKEN_NAMES & {*names}, "a token's name in the address was taken"
    if asked.cursor is not None:
        _check_cursor(asked.cursor)


def _check_cursor(text: str) -> None:
    found = cursors.parse(text)
    assert isinstance(found, UUID) == (CANONICAL.fullmatch(text) is not None), f"{text!r} is {found}"
    assert found is None or str(found) == text
