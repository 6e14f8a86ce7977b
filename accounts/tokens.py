"""
Tokens: simplejwt's classes mint and verify them, on a backend of ours that leaves nothing open.

simplejwt alone does not look at the header's ``typ``, knows one key without an id, and lets odd values in signed
claims escape as errors of other kinds. REST and sockets read tokens here, and nowhere else.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID, uuid5

import jwt
from django.conf import settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.settings import api_settings

from accounts.keys import KeyRing, ring_of
from accounts.models import Session
from realtime.ports import Claims, TokenRefused

ALGORITHM = "HS256"
LONGEST = 8 * 1024
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
IDS, TIMES, NAMES = ("sub", "sid", "jti"), ("iat", "exp"), ("iss", "aud", "token_type")
AFTER_ALL_TIMES = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
_NO_TIME = timedelta(0)
CLOCKS_APART = timedelta(hours=2)
"""
So far this server's clock may be behind the one that a token was minted by; an hour is the commonest mistake.

What bears our signature was minted, whatever the time is here. To call it forged would stop its client for good.
"""


class StrictBackend(TokenBackend):
    """
    Signs and checks tokens of one ``typ`` with the keys of a ring.

    The header of a token of ours holds three members with one possible value each, so nothing in it is ever obeyed:
    no algorithm, no key and no address of a key is taken from it.
    """

    def __init__(self, typ: str, ring: KeyRing) -> None:
        super().__init__(
            ALGORITHM,
            signing_key=ring.keys[ring.current],
            audience=api_settings.AUDIENCE,
            issuer=api_settings.ISSUER,
            leeway=CLOCKS_APART,
        )
        self.typ = typ
        self.ring = ring

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token."""
        claims = payload | {"aud": self.audience, "iss": self.issuer}
        headers = {"typ": self.typ, "kid": self.ring.current}
        return jwt.encode(claims, self.prepared_signing_key, algorithm=ALGORITHM, headers=headers)

    def get_verifying_key(self, token: Any) -> Any:
        """Return the key that a token names; raises ``TokenBackendError`` if the header is not one of ours."""
        header = jwt.get_unverified_header(token)
        key = self.ring.keys.get(header.get("kid", ""))
        if key is None or header != {"alg": ALGORITHM, "typ": self.typ, "kid": header["kid"]}:
            raise TokenBackendError("Token is invalid")
        return self._prepare_key(key)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  simplejwt's signature
        """Return the claims; raises ``TokenBackendError``, ``TokenBackendExpiredToken`` and nothing else."""
        if not isinstance(token, str) or len(token) > LONGEST or not COMPACT.fullmatch(token):
            raise TokenBackendError("Token is invalid")
        claims = super().decode(cast("simplejwt.Token", token), verify)
        if not _are_sound(claims):
            raise TokenBackendError("Token is invalid")
        if claims["exp"] <= time.time() - api_settings.LEEWAY:
            raise TokenBackendExpiredToken("Token is expired")
        return claims


def _are_sound(claims: Mapping[str, Any]) -> bool:
    """Tell whether every claim that we rely on is there, of its type and in its one spelling."""
    return (
        all(type(claims.get(name)) is int and 0 < claims[name] < AFTER_ALL_TIMES for name in TIMES)
        and all(isinstance(claims.get(name), str) for name in NAMES)
        and all(_is_canonical(claims.get(name)) for name in IDS)
        and "nbf" not in claims  # the leeway is for "iat", and none of ours begins later than it is minted
    )


def _is_canonical(identity: Any) -> bool:
    try:
        return isinstance(identity, str) and str(UUID(identity)) == identity
    except ValueError:
        return False


_ring = ring_of(api_settings.SIGNING_KEY, settings.USHER.jwt_other_keys)


class AccessToken(simplejwt.AccessToken):
    """Opens the API and sockets for some minutes."""

    _token_backend = StrictBackend("at+jwt", _ring)


class RefreshToken(simplejwt.RefreshToken):
    """Opens nothing but the way to the next pair."""

    _token_backend = StrictBackend("rt+jwt", _ring)
    access_token_class = AccessToken


@dataclass(frozen=True, slots=True)
class Pair:
    """What a log-in or a renewal gives. Seconds of the access token's life and of the session's, from the minting."""

    access: str
    refresh: str
    expires_in: int
    session_expires_in: int


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    user_id: UUID
    session_id: UUID
    jti: str


def pair_of(session: Session) -> Pair:
    """
    Return the session's latest pair. It follows from the session's row alone, so asking again gives the same bytes.

    No token outlives its session.
    """
    minted_at = session.refreshed_at
    refresh = RefreshToken.for_user(session.user)
    refresh["sid"] = str(session.pk)
    refresh["jti"] = session.refresh_jti
    refresh.set_iat(at_time=minted_at)
    refresh.set_exp(from_time=session.expires_at, lifetime=_NO_TIME)
    access = refresh.access_token
    access["jti"] = str(uuid5(session.pk, session.refresh_jti))
    access.set_iat(at_time=minted_at)
    access.set_exp(from_time=min(minted_at + api_settings.ACCESS_TOKEN_LIFETIME, session.expires_at), lifetime=_NO_TIME)
    return Pair(
        access=str(access),
        refresh=str(refresh),
        expires_in=access["exp"] - access["iat"],
        session_expires_in=refresh["exp"] - refresh["iat"],
    )


def read_refresh(token: str) -> RefreshClaims:
    """Return what a refresh token says; raises ``TokenRefused`` and nothing else."""
    read = _read(RefreshToken, token)
    return RefreshClaims(user_id=UUID(read["sub"]), session_id=UUID(read["sid"]), jti=read["jti"])


class AccessTokens:
    """Fills ``realtime.ports.Tokens``."""

    def read(self, token: str) -> Claims:
        """Return what an access token says; raises ``TokenRefused`` and nothing else."""
        read = _read(AccessToken, token)
        return Claims(user_id=UUID(read["sub"]), session_id=UUID(read["sid"]), expires_at=float(read["exp"]))


def _read(kind: type[simplejwt.Token], token: str) -> simplejwt.Token:
    reason: Literal["expired", "forged"] = "forged"
    try:
        return kind(cast("Any", str(token)))  # simplejwt takes None for the wish to mint a new token
    except ExpiredTokenError:
        reason = "expired"
    except TokenError:
        pass
    # Outside the handlers: the library's error has the token's content in its context, and a log might show it.
    raise TokenRefused(reason)
