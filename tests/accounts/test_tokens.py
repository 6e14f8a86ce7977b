"""What a token says, and who may read what in it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from accounts.keys import KeyRing, kid_of, ring_of
from accounts.tokens import AccessToken, AccessTokens, StrictBackend, pair_of, read_refresh
from realtime.ports import TokenRefused
from tests.accounts.forging import KEY, OTHER_KEY, access_like, reason_for, session_of_alice

NOW = int(time.time())


def test_an_access_token_says_who_which_session_and_until_when():
    session = session_of_alice()

    claims = AccessTokens().read(pair_of(session).access)

    assert (claims.user_id, claims.session_id) == (session.user.pk, session.pk)
    assert claims.expires_at == int(session.refreshed_at.timestamp()) + settings.USHER.access_seconds


def test_the_forging_of_these_tests_makes_good_tokens_when_it_changes_nothing():
    assert AccessTokens().read(access_like()).session_id


def test_a_refresh_token_says_which_renewal_it_is():
    session = session_of_alice()

    claims = read_refresh(pair_of(session).refresh)

    assert (claims.user_id, claims.session_id, claims.jti) == (session.user.pk, session.pk, session.refresh_jti)


def test_the_same_session_row_gives_the_same_pair_byte_for_byte():
    session = session_of_alice()

    assert pair_of(session) == pair_of(session)
    assert pair_of(session) != pair_of(session_of_alice(id=session.pk))


def test_no_token_outlives_its_session():
    session = session_of_alice(expires_at=datetime.now(UTC) + timedelta(seconds=30))

    pair = pair_of(session)

    assert AccessTokens().read(pair.access).expires_at <= session.expires_at.timestamp()
    assert 29 <= pair.expires_in <= 30


def test_header_and_claims_hold_what_the_protocol_says_and_no_more():
    pair = pair_of(session_of_alice())

    for token, typ in ((pair.access, "at+jwt"), (pair.refresh, "rt+jwt")):
        assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": typ, "kid": kid_of(KEY)}
        claims = jwt.decode(token, options={"verify_signature": False})
        assert set(claims) == {"token_type", "exp", "iat", "jti", "sub", "sid", "aud", "iss"}


def test_a_refresh_token_is_no_access_token_and_the_other_way_round():
    pair = pair_of(session_of_alice())

    assert reason_for(pair.refresh) == "forged"
    with pytest.raises(TokenRefused) as refused:
        read_refresh(pair.access)
    assert refused.value.reason == "forged"


def test_an_expired_token_is_expired_and_not_forged():
    assert reason_for(access_like(claims={"iat": NOW - 400, "exp": NOW - 100})) == "expired"


def test_an_expired_token_with_a_wrong_signature_is_forged():
    assert reason_for(access_like(claims={"iat": NOW - 400, "exp": NOW - 100}, key=OTHER_KEY)) == "forged"


class RingedToken(AccessToken):
    """An access token on a ring with a new key and the one before it."""

    _token_backend = StrictBackend("at+jwt", ring_of(OTHER_KEY, [KEY]))


def test_a_ring_takes_tokens_of_all_its_keys_and_signs_with_the_current_one():
    of_old_key = pair_of(session_of_alice()).access

    renewed = RingedToken(of_old_key)  # type: ignore[arg-type]  # simplejwt's constructor takes encoded tokens as well

    assert jwt.get_unverified_header(str(renewed))["kid"] == kid_of(OTHER_KEY)
    assert RingedToken(str(renewed))["sub"] == renewed["sub"]  # type: ignore[arg-type]


def test_a_token_of_one_key_that_names_another_is_refused():
    backend = StrictBackend("at+jwt", KeyRing(current="a", keys={"a": KEY, "b": OTHER_KEY}))

    with pytest.raises(TokenBackendError):
        backend.decode(access_like({"kid": "b"}))
    assert backend.decode(access_like({"kid": "a"}))


def test_a_token_of_a_key_that_left_the_ring_is_refused():
    backend = StrictBackend("at+jwt", ring_of(OTHER_KEY))

    with pytest.raises(TokenBackendError):
        backend.decode(pair_of(session_of_alice()).access)


def test_each_key_has_an_id_of_its_own():
    assert ring_of(KEY).current == kid_of(KEY) != kid_of(OTHER_KEY)


@pytest.mark.parametrize("seconds", [120, 3600])
def test_a_token_from_a_server_whose_clock_is_ahead_is_no_forgery(seconds):
    minted_at = int(time.time()) + seconds

    token = access_like(claims={"iat": minted_at, "exp": minted_at + 300})

    assert AccessTokens().read(token).expires_at == minted_at + 300


def test_it_is_simplejwt_that_verifies(monkeypatch):
    good = pair_of(session_of_alice()).access

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise TokenBackendError("refused by simplejwt")

    monkeypatch.setattr(TokenBackend, "decode", refuse)

    assert reason_for(good) == "forged"
