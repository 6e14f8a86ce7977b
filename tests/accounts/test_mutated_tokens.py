"""Good tokens, changed in any way that hypothesis thinks of: refused, or still the token of the same person."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from accounts.keys import kid_of
from accounts.tokens import AccessTokens, pair_of, read_refresh
from realtime.ports import TokenRefused
from tests.accounts.forging import KEY, OTHER_KEY, encoded, session_of_alice, twins_of

# Minted an hour ahead, as by a server whose clock is: made when tests are collected, tokens of now would have expired
# by the time that these run, and be refused whatever is done to them.
AHEAD = datetime.now(UTC) + timedelta(hours=1)
SESSION = session_of_alice(refreshed_at=AHEAD)
GOOD = pair_of(SESSION)
ANOTHER = pair_of(session_of_alice(refreshed_at=AHEAD))
KEYS = st.sampled_from([KEY, OTHER_KEY])
characters = st.sampled_from("AQgwz09-_=.+/ \n\té٠\u2024\x00\ud800") | st.characters()
places = st.integers(0, len(GOOD.refresh))
edits = st.lists(
    st.tuples(st.sampled_from(["put", "insert", "drop", "swap"]), places, characters), min_size=1, max_size=4
)
segments = st.sampled_from([*GOOD.access.split("."), *GOOD.refresh.split("."), *ANOTHER.access.split("."), "", "e30"])
texts = st.text("a.-0٠é\ud800\x00 ", max_size=5) | st.sampled_from(["HS256", "none", "at+jwt", "rt+jwt", kid_of(KEY)])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.uuids().map(str),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=5,
)
headers = st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "x"]), values, max_size=2)
claims = st.dictionaries(
    st.sampled_from(["sub", "sid", "jti", "exp", "iat", "nbf", "iss", "aud", "token_type", "x"]), values, max_size=3
)


def parts_of(token: str) -> list[dict[str, Any]]:
    return [json.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def identities_in(token: Any) -> list[tuple[str, str]]:
    """Return whom a token lets in, at each of the two doors; anything but a refusal is an error."""
    found = []
    for read in (AccessTokens().read, read_refresh):
        try:
            opened = read(token)
        except TokenRefused:
            continue
        found.append((str(opened.user_id), str(opened.session_id)))
    return found


ALICE = (str(SESSION.user.pk), str(SESSION.pk))


def edited(token: str, changes: list[tuple[str, int, str]]) -> str:
    for what, place, character in changes:
        at = place % (len(token) + 1)
        if what == "put":
            token = token[:at] + character + token[at + 1 :]
        elif what == "insert":
            token = token[:at] + character + token[at:]
        elif what == "drop":
            token = token[:at] + token[at + 1 :]
        else:
            token = token[:at] + token[at + 1 : at + 2] + token[at : at + 1] + token[at + 2 :]
    return token


def test_unchanged_they_are_good():
    assert identities_in(GOOD.access) == identities_in(GOOD.refresh) == [ALICE]


@given(token=st.sampled_from([GOOD.access, GOOD.refresh]), changes=edits)
@example(token=GOOD.access, changes=[("put", len(GOOD.access) - 1, twins_of(GOOD.access)[0][-1])])
def test_another_string_is_no_token(token, changes):
    changed = edited(token, changes)

    assert identities_in(changed) == ([ALICE] if changed == token else [])


@given(st.lists(segments, min_size=1, max_size=5))
def test_segments_put_together_otherwise_are_no_token(parts):
    whole = {GOOD.access: [ALICE], GOOD.refresh: [ALICE], ANOTHER.access: identities_in(ANOTHER.access)}
    token = ".".join(parts)

    assert identities_in(token) == whole.get(token, [])


@given(token=st.sampled_from([GOOD.access, GOOD.refresh]), header=headers, changes=claims, key=KEYS)
def test_other_members_are_refused_or_mean_what_they_say(token, header, changes, key):
    """Signed with our key or with another: who comes in is whom the claims name, letter by letter, or nobody."""
    old_header, old_claims = parts_of(token)
    changed = encoded(old_header | header, old_claims | changes, key=key)

    found = identities_in(changed)

    assert len(found) <= 1, "no token opens both doors"
    if found:
        named = old_claims | changes
        assert found == [(named["sub"], named["sid"])]
        assert old_header | header == old_header, "a header has no other form"
        assert key == KEY


@given(st.text() | st.binary() | values)
def test_what_never_was_a_token_is_refused(anything):
    assert identities_in(anything) == []


@given(
    members=st.lists(st.tuples(st.sampled_from(["alg", "typ", "kid", "sub", "sid", "exp"]), values), max_size=4),
    key=KEYS,
)
def test_members_that_are_there_twice_give_nobody_anothers_identity(members, key):
    header, body = parts_of(GOOD.access)

    class Twice(dict[str, Any]):
        def items(self) -> Any:
            return [*members, *super().items()]

    found = identities_in(encoded(Twice(header), Twice(body), key=key))

    assert found in ([], [ALICE])
