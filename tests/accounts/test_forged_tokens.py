"""Every way of being no token, most of them with the right signature: refused, and nothing else escapes."""

import base64
import hashlib
import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.keys import kid_of
from accounts.tokens import AccessTokens, pair_of
from realtime.ports import TokenRefused
from tests.accounts.forging import (
    GONE,
    KEY,
    OTHER_KEY,
    access_like,
    encoded,
    reason_for,
    reason_for_refresh,
    refresh_like,
    session_of_alice,
    twins_of,
)

NOW = int(time.time())

ALGORITHMS = (
    *("hs256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES256K", "ES384", "ES512", "ES521"),
    *("PS256", "PS384", "PS512", "EdDSA", "Ed25519", "dir", "A128KW", "HS257", "HS256\x00", "ＨＳ256"),
)
HEADERS: dict[str, Any] = {
    **{
        f"alg {alg!r}": {"alg": alg}
        for alg in ("none", "None", "NONE", "nOnE", "", None, GONE, ["HS256"], {}, "HS256 ")
    },
    **{f"alg {alg}": {"alg": alg} for alg in ALGORITHMS},
    **{f"typ {typ!r}": {"typ": typ} for typ in ("JWT", "rt+jwt", "AT+JWT", "", None, GONE, ["at+jwt"], 1)},
    **{
        f"kid {kid!r}": {"kid": kid}
        for kid in (GONE, None, "", "../../dev/null", 1, [], {}, "' OR 1", True, "k" * 2000)
    },
    # Named without the keys' ids, which are new in each process of the tests; nor in upper case, which is the same for
    # an id that happens to be of digits alone.
    "kid of another key": {"kid": kid_of(OTHER_KEY)},
    "kid in a list": {"kid": [kid_of(KEY)]},
    "kid and a letter": {"kid": f"{kid_of(KEY)}A"},
    "kid and NUL": {"kid": f"{kid_of(KEY)}\x00"},
    "kid after a space": {"kid": f" {kid_of(KEY)}"},
    "x5c": {"x5c": ["bWFsbG9yeQ"]},
    "x5t": {"x5t": "bWFsbG9yeQ"},
    "cty": {"cty": "JWT"},
    "enc": {"enc": "A128GCM"},
    "jku": {"jku": "https://mallory.test/keys"},
    "jwk": {"jwk": {"kty": "oct", "k": "bWFsbG9yeQ"}},
    "x5u": {"x5u": "https://mallory.test/cert"},
    "crit": {"crit": ["exp"]},
    "b64": {"b64": False, "crit": ["b64"]},
    "zip": {"zip": "DEF"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_is_not_ours_is_refused_although_the_signature_is_right(header):
    assert reason_for(access_like(header)) == "forged"
    if header != {"typ": "rt+jwt"}:
        assert reason_for_refresh(refresh_like(header)) == "forged"


@pytest.mark.parametrize(("alg", "digest"), [("HS384", hashlib.sha384), ("HS512", hashlib.sha512)])
def test_the_right_key_with_another_algorithm_is_refused(alg, digest):
    assert reason_for(access_like({"alg": alg}, digest=digest)) == "forged"
    assert reason_for(access_like(digest=digest)) == "forged", "whatever the header says"


@pytest.mark.parametrize("signature", ["", "AA", "A" * 43, "A" * 86, "AAAA"], ids=len)
@pytest.mark.parametrize("alg", ["none", "HS256", "ES256"])
def test_no_signature_or_one_of_zeros_is_refused(alg, signature):
    head, body, _ = access_like({"alg": alg}).split(".")

    assert reason_for(f"{head}.{body}.{signature}") == "forged"


def test_the_key_of_another_deployment_is_refused_whatever_it_calls_itself():
    for kid in (kid_of(OTHER_KEY), kid_of(KEY)):
        assert reason_for(access_like({"kid": kid}, key=OTHER_KEY)) == "forged"
        assert reason_for_refresh(refresh_like({"kid": kid}, key=OTHER_KEY)) == "forged"


def test_a_refresh_token_that_calls_itself_an_access_token_is_refused():
    """The header's type, the claim, or one of them alone: both must be those of the door it is shown at."""
    for header, claims in (({"typ": "at+jwt"}, {}), ({}, {"token_type": "access"})):
        assert reason_for(refresh_like(header, claims)) == "forged"
    for header, claims in (({"typ": "rt+jwt"}, {}), ({}, {"token_type": "refresh"})):
        assert reason_for_refresh(access_like(header, claims)) == "forged"


SOME_ID = UUID("0b7f3c9e-5d0c-4c1e-9a49-6a6f2d5d8c11")

ODD_TIMES: tuple[Any, ...] = (
    *(GONE, None, True, "9999999999", [], {}, 1e308, float("inf"), float("nan")),
    *(253402300800, 10**400, 0, -1, 1.5),
)
ODD_IDS: tuple[Any, ...] = (
    *(GONE, None, True, 1, 1.0, [], {}, "", "abc", "1", " ", "١", "{}", f"urn:uuid:{SOME_ID}", SOME_ID.hex),
    *(str(SOME_ID).upper(), f" {SOME_ID}", f"{SOME_ID}\n", "{" + str(SOME_ID) + "}"),
)
ODD_NAMES: tuple[Any, ...] = (
    *(GONE, None, True, 1, [], {}, "", "other", ["usher", "other"], ["usher"], "usher ", "USHER"),
)
CLAIMS: dict[str, Any] = {
    **{f"{name} {value!r}"[:60]: {name: value} for name in ("exp", "iat") for value in ODD_TIMES},
    **{f"{name} {value!r}": {name: value} for name in ("sub", "sid", "jti") for value in ODD_IDS},
    **{f"{name} {value!r}": {name: value} for name in ("iss", "aud") for value in ODD_NAMES},
    **{f"token_type {kind!r}": {"token_type": kind} for kind in ("refresh", "sliding", "", GONE, None, ["access"], 1)},
    "iat to come": {"iat": NOW + 3 * 3600, "exp": NOW + 4 * 3600},
    "nbf to come": {"nbf": NOW + 3600},
    "odd nbf": {"nbf": []},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())
def test_odd_claims_are_refused_although_we_signed_them(claims):
    assert reason_for(access_like(claims=claims)) in {"forged", "expired"}
    if claims != {"token_type": "refresh"}:
        assert reason_for_refresh(refresh_like(claims=claims)) in {"forged", "expired"}


@pytest.mark.parametrize("claims", [None, [], "claims", 1, True])
def test_claims_that_are_no_object_are_refused(claims):
    assert reason_for(encoded({"alg": "HS256", "typ": "at+jwt", "kid": kid_of(KEY)}, claims)) == "forged"


@pytest.mark.parametrize("header", [None, [], "HS256", 1])
def test_a_header_that_is_no_object_is_refused(header):
    assert reason_for(encoded(header, {})) == "forged"


def spelt_otherwise(token: str) -> list[Any]:
    head, body, signature = token.split(".")
    return [
        *("", ".", "..", "...", "a.b.c", head, f"{head}.{body}", f"{head}.{body}.", f".{body}.{signature}"),
        *(f"{token}=", f"{token}\n", f" {token}", f"{token}.", f"{token}.{signature}", token[:-1], f"Bearer {token}"),
        *(f"{body}.{head}.{signature}", f"{head}.{body}.{signature[::-1]}", f"{token}A", f"{token}é", "é.é.é"),
        *twins_of(token),
        *(f"{head}=.{body}.{signature}", f"{head}==.{body}==.{signature}=", f"{head}.{body}.{signature[:-1]}=="),
        *(
            f"{head}\n.{body}.{signature}",
            f"{head}. {body}.{signature}",
            f"{head}.{body}.\t{signature}",
            f"\ufeff{token}",
        ),
        *(f"{head}\u2024{body}\u2024{signature}", f"{token}\x00", f"{head}%2E{body}%2E{signature}", f"{token},{token}"),
        *(token.swapcase(), f"{head}.{body}.{signature}".replace("-", "+").replace("_", "/") + "/", token * 300),
        *(
            "a" * 100_000,
            f"{head}.{'A' * 100_000}.{signature}",
            "." * 100_000,
            "a" * 9000,
            "a.b." + "c" * 8200,
            "٠.٠.٠",
            None,
            1,
            b"a.b.c",
            [],
            token.encode(),
        ),
    ]


@pytest.mark.parametrize("place", range(len(spelt_otherwise("a.b.c"))))
def test_only_the_one_spelling_of_a_token_is_taken(place):
    assert reason_for(spelt_otherwise(pair_of(session_of_alice()).access)[place]) == "forged"


def test_a_good_token_above_eight_kibibytes_is_refused_unread():
    assert reason_for(access_like(claims={"padding": "x" * 8192})) == "forged"


def test_deeply_nested_json_is_refused():
    segment = base64.urlsafe_b64encode(b"[" * 4000).rstrip(b"=").decode()

    assert reason_for(f"{segment}.e30.AAAA") == "forged"


texts = st.text("a.-0٠é\ud800\x00 ", max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.uuids().map(str),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=5,
)


@given(
    header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64"]), json_values, max_size=3),
    claims=st.dictionaries(
        st.sampled_from(["sub", "sid", "jti", "exp", "iat", "nbf", "iss", "aud", "token_type"]), json_values, max_size=5
    ),
)
def test_whatever_is_signed_is_read_or_refused_and_nothing_else_happens(header, claims):
    try:
        read = AccessTokens().read(access_like(header, claims))
    except TokenRefused:
        return
    assert isinstance(read.user_id, UUID)
    assert isinstance(read.session_id, UUID)
    assert read.expires_at > time.time() - 10
