"""
Tokens and the header that they come in: nobody enters but by the one token, or by what we have signed ourselves.

An input's first byte says what it is: a token, ``header|claims`` to be signed with the real key, or an Authorization
header.
"""

import base64
import hmac
import json
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.test import RequestFactory
from rest_framework.request import Request

from accounts.authentication import SessionTokenAuthentication
from accounts.keys import kid_of
from accounts.refusals import Refused
from accounts.tokens import AccessTokens, read_refresh
from realtime import handshake, ports
from realtime.handshake import Turned
from realtime.ports import Claims, TokenRefused
from tests.accounts.forging import KEY, access_like, refresh_like, twins_of

TOMORROW = int(time.time()) + 86400
GOOD = access_like(claims={"exp": TOMORROW})
GOOD_REFRESH = refresh_like(claims={"exp": TOMORROW})
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": kid_of(KEY)}


def parts_of(token: str) -> bytes:
    """Return ``header|claims`` of a token."""
    return b"|".join(base64.urlsafe_b64decode(part + "==") for part in token.split(".")[:2])


SEEDS = [
    *(b"t" + token.encode() for token in (GOOD, GOOD_REFRESH, twins_of(GOOD)[0], GOOD + "=", "..")),
    *(b"s" + parts_of(token) for token in (GOOD, GOOD_REFRESH)),
    *(b"s" + parts_of(GOOD).replace(b"HS256", alg) for alg in (b"none", b"HS512")),
    *(b"a" + header for header in (b"Bearer " + GOOD.encode(), b"bearer  x ", b"Basic x", b"Bearer a,Bearer b", b"")),
]
WORDS = [
    *(b"Bearer ", b"bearer\t", b",", b"=", b".", b'"alg"', b'"kid"', b'"typ"', b'"none"', b'"at+jwt"', b'"rt+jwt"'),
    *(b'"sub"', b'"sid"', b'"jti"', b'"exp"', b'"iat"', b'"nbf"', b'"iss"', b'"aud"', b'"usher"', b'"token_type"'),
    *(b'"access"', b'"refresh"', b"null", b"true", b"[]", b"{}", b"1e400", b"-1", b"NaN", b"Infinity", b'"b64"'),
]


def check(data: bytes) -> None:
    """Take an input for what its first byte says."""
    kind, rest = data[:1], data[1:]
    {b"s": _check_signed, b"a": _check_header}.get(kind, _check_token)(rest)


def _read(token: str) -> dict[str, Any]:
    """Return what each door reads in a token; a door that refuses it is not there. Any other error is a find."""
    found = {}
    for door, read in (("access", AccessTokens().read), ("refresh", read_refresh)):
        try:
            found[door] = read(token)
        except TokenRefused as refused:
            assert refused.reason in ("expired", "forged")
            assert refused.__context__ is None, "the library's error may have the token in it"
    return found


def _check_token(data: bytes) -> None:
    for token in {data.decode("latin-1"), data.decode(errors="surrogateescape")}:
        expected = {GOOD: ["access"], GOOD_REFRESH: ["refresh"]}.get(token, [])
        assert [*_read(token)] == expected, f"{token!r} opened a door"


def _check_signed(data: bytes) -> None:
    header, _, claims = data.partition(b"|")
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims))
    signature = base64.urlsafe_b64encode(hmac.digest(KEY.encode(), signed, "sha256")).rstrip(b"=")
    for door, said in _read((signed + b"." + signature).decode()).items():
        named = json.loads(claims)
        assert json.loads(header) == HEADER | {"typ": {"access": "at+jwt", "refresh": "rt+jwt"}[door]}
        assert named["token_type"] == door
        assert (str(said.user_id), str(said.session_id)) == (named["sub"], named["sid"])
        assert named["iss"] == named["aud"] == "usher"
        assert type(named["exp"]) is int
        assert time.time() - 60 < named["exp"]


class Noted(AccessTokens):
    """Notes what it is asked to read, and refuses it."""

    shown: str | None = None

    def read(self, token: str) -> Claims:
        """Note it."""
        self.shown = token
        raise TokenRefused("forged")


class Nobody:
    """Knows nobody; it is never asked, since no token is accepted."""

    def standings(self, session_ids: Any) -> dict[UUID, Any]:
        """Say so."""
        raise AssertionError("asked for people although the token was refused")


def _check_header(data: bytes) -> None:
    """What REST and sockets take for the token must be the same, and a part of the header as it stands."""
    text = data.decode("latin-1")
    noted = Noted()
    ports.fill(tokens=noted, people=Nobody())
    with suppress(TokenRefused, Refused):
        SessionTokenAuthentication().authenticate(Request(RequestFactory().get("/", HTTP_AUTHORIZATION=text)))
    try:
        token = handshake.read({"headers": [(b"authorization", data)], "query_string": b""}).token
    except Turned as turned:
        assert turned.status in (400, 401)
        return
    assert token
    assert token in text
    assert noted.shown == token, f"REST read {noted.shown!r}, the socket {token!r}"
