"""Tokens as we would never mint them, most of them signed with the right key all the same."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings

from accounts.models import Session, User
from accounts.tokens import AccessTokens, pair_of, read_refresh
from realtime.ports import TokenRefused


class Gone:
    """Stands for a member that is not there."""

    def __repr__(self) -> str:
        return "GONE"


GONE: Any = Gone()
"""Stands for a member that is left out."""
KEY: str = settings.SIMPLE_JWT["SIGNING_KEY"]
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OTHER_KEY = "another-key-of-more-than-32-bytes-0123456789"


def session_of_alice(**changes) -> Session:
    """Return a session as it is in the database after a log-in, without a database."""
    minted_at = datetime.now(UTC)
    fields = {"expires_at": minted_at + timedelta(days=14), "refreshed_at": minted_at, "refresh_jti": str(uuid4())}
    return Session(user=User(username="alice"), **(fields | changes))


def encoded(header: Any, claims: Any, *, key: str = KEY, digest: Any = hashlib.sha256) -> str:
    """Return a token of exactly this header and these claims, signed with HMAC whatever the header says."""
    parts = [json.dumps(part).encode() for part in (header, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.new(key.encode(), signed, digest).digest()
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def access_like(header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, **how: Any) -> str:
    """Return what would be a good access token, but for these members of its header and claims."""
    return _like(pair_of(session_of_alice()).access, header, claims, **how)


def refresh_like(header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None, **how: Any) -> str:
    """Return what would be a good refresh token, but for these members of its header and claims."""
    return _like(pair_of(session_of_alice()).refresh, header, claims, **how)


def twins_of(token: str) -> list[str]:
    """Return the other strings that decode to the bytes of this token: two bits of its last character mean nothing."""
    value = BASE64.index(token[-1])
    return [token[:-1] + BASE64[value ^ bits] for bits in (1, 2, 3)]


def _like(good: str, header: dict[str, Any] | None, claims: dict[str, Any] | None, **how: Any) -> str:
    parts = [jwt.get_unverified_header(good), jwt.decode(good, options={"verify_signature": False})]
    changed = [
        {name: value for name, value in (part | (changes or {})).items() if value is not GONE}
        for part, changes in zip(parts, (header, claims), strict=True)
    ]
    return encoded(*changed, **how)


def reason_for(token: Any) -> str:
    with pytest.raises(TokenRefused) as refused:
        AccessTokens().read(token)
    return refused.value.reason


def reason_for_refresh(token: Any) -> str:
    with pytest.raises(TokenRefused) as refused:
        read_refresh(token)
    return refused.value.reason
