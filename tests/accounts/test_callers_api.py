"""Who calls, by the token in the header: taken, or refused in the words of the protocol."""

from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.utils import timezone

from accounts.models import Session, User
from accounts.tokens import pair_of
from tests.accounts.api_calls import assert_problem, holder_of, log_in, renew
from tests.accounts.house import Caller

pytestmark = pytest.mark.each_database

NO_TOKENS = (
    *("", "Bearer", "Bearer ", "Basic YWxpY2U6eA==", "Bearer x", "Bearer a.b.c"),
    *("bearer eyJ.eyJ.x y", "Bearer é", "\x00"),
)
QUERIES = ("access_token={}", "token={}", "x={}", "jwt=1", "Token=abc", "{}=1", "q=Bearer%20{}")


def test_a_renewal_gives_a_new_pair_and_a_repeat_the_same_bytes(alice):
    first = log_in().body

    second, again = renew(first["refresh"]), renew(first["refresh"])

    assert second.status == 200
    assert second.bytes == again.bytes
    assert second.body["refresh"] != first["refresh"]
    assert holder_of(second.body)("GET", "me").status == 200


def test_reuse_of_an_old_refresh_token_ends_the_session_and_its_access_tokens(alice):
    first = log_in().body
    second = renew(first["refresh"]).body
    third = renew(second["refresh"]).body

    assert_problem(renew(first["refresh"]), 401, "session_ended")

    assert Session.objects.get().end_reason == "refresh_reused"
    for pair in (first, second, third):
        assert_problem(holder_of(pair)("GET", "me"), 401, "session_ended")
        assert_problem(renew(pair["refresh"]), 401, "session_ended")


def test_the_two_kinds_of_token_do_not_stand_for_each_other(alice):
    pair = log_in().body

    assert_problem(Caller(pair["refresh"])("GET", "me"), 401, "unauthenticated")
    assert_problem(renew(pair["access"]), 401, "unauthenticated")


def test_an_expired_token_is_told_apart_from_none_and_from_a_forged_one(alice):
    access = log_in().body["access"]
    session = Session.objects.get()
    session.refreshed_at = timezone.now() - timedelta(minutes=6)
    header, claims = jwt.get_unverified_header(access), jwt.decode(access, options={"verify_signature": False})
    forged = jwt.encode(claims, "mallory's key, long enough to be taken", headers=header)

    assert_problem(Caller(pair_of(session).access)("GET", "me"), 401, "token_expired")
    assert_problem(Caller(forged)("GET", "me"), 401, "unauthenticated")
    assert_problem(Caller()("GET", "me"), 401, "unauthenticated")
    session.expires_at = timezone.now() - timedelta(minutes=1)
    assert_problem(renew(pair_of(session).refresh), 401, "token_expired")


def test_a_header_without_a_good_token_is_unauthenticated(alice):
    access = log_in().body["access"]

    for header in (*NO_TOKENS, f"Bearer {access},Bearer {access}"):
        assert_problem(Caller()("GET", "me", Authorization=header), 401, "unauthenticated", header)
    assert Caller()("GET", "me", Authorization=f"bearer {access}").status == 200, "the scheme's case does not matter"


def test_a_token_in_the_query_string_is_refused_even_beside_a_good_header(alice):
    pair = log_in().body

    for query in QUERIES:
        for method, path in (("GET", "me"), ("POST", "auth/token"), ("POST", "auth/token/refresh")):
            address = f"{path}?{query.format(pair['access'])}"
            body = assert_problem(holder_of(pair)(method, address, {}), 400, "token_in_url", address)
            assert pair["access"] not in str(body)


def test_a_session_that_is_gone_or_another_users_opens_nothing(alice, bob):
    caller = holder_of(log_in().body)

    Session.objects.update(user=bob)
    assert_problem(caller("GET", "me"), 401, "unauthenticated")
    Session.objects.update(id=uuid4(), user=alice)
    assert_problem(caller("GET", "me"), 401, "session_ended")


def test_a_deactivated_user_is_not_authorised_whatever_became_of_the_session(alice):
    pair = log_in().body
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert_problem(holder_of(pair)("GET", "me"), 403, "not_authorised")
    assert_problem(renew(pair["refresh"]), 403, "not_authorised")
    Session.objects.update(ended_at=timezone.now())
    assert_problem(holder_of(pair)("GET", "me"), 403, "not_authorised")


def test_a_deleted_user_has_no_session(alice):
    pair = log_in().body
    User.objects.filter(pk=alice.pk).delete()

    assert_problem(holder_of(pair)("GET", "me"), 401, "session_ended")
    assert_problem(renew(pair["refresh"]), 401, "session_ended")
