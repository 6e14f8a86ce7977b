"""Staff see where somebody is logged in, and end one of his sessions or all of them."""

from uuid import uuid4

import pytest

from accounts.grants import give_grant
from accounts.models import UserGrantToGroup
from accounts.permissions import VIEW_USER, VIEW_USER_ORIGIN
from tests.accounts.api_calls import assert_problem, holder_of, log_in, renew

pytestmark = pytest.mark.each_database


def test_staff_see_the_live_sessions_of_whom_they_see_newest_first(house):
    holder_of(log_in("bob").body)("POST", "auth/logout")
    log_in("bob", **{"User-Agent": "phone"})
    log_in("bob", **{"User-Agent": "laptop"})

    body = house.caller("alice")("GET", f"users/{house.id('bob')}/sessions").body

    assert (body["next"], body["previous"]) == (None, None)
    assert [row["agent"] for row in body["results"]] == ["laptop", "phone"], "the one that has ended is gone"
    assert set(body["results"][0]) == {
        *("id", "created_at", "refreshed_at", "expires_at", "address", "agent", "current", "redacted")
    }
    assert [row["current"] for row in body["results"]] == [False, False]
    own = house.caller("alice")("GET", f"users/{house.id('alice')}/sessions").body["results"]
    assert [row["current"] for row in own] == [True]


def test_from_where_is_shown_to_those_who_may_see_from_where_a_user_is(house, bob):
    log_in("bob", **{"User-Agent": "phone"})
    path = f"users/{bob.pk}/sessions"

    (hidden,) = house.caller("peggy")("GET", path).body["results"]
    give_grant(subject=bob, permission=VIEW_USER_ORIGIN, to=house.user("peggy"))
    (shown,) = house.caller("peggy")("GET", path).body["results"]

    assert hidden["redacted"] == ["address", "agent"]
    assert not {"address", "agent"} & set(hidden)
    assert (shown["redacted"], shown["address"], shown["agent"]) == ([], "127.0.0.1", "phone")


def test_many_sessions_come_in_pages(house, bob):
    for _ in range(3):
        log_in("bob")
    seen, address = [], f"users/{bob.pk}/sessions?limit=2"
    while address:
        page = house.caller("peggy")("GET", address).body
        seen += [row["id"] for row in page["results"]]
        address = page["next"]

    assert len(set(seen)) == 3


def test_staff_end_one_session_and_the_others_go_on(house, bob):
    phone, laptop = log_in("bob").body, log_in("bob").body
    path = f"users/{bob.pk}/sessions"
    newest = house.caller("peggy")("GET", path).body["results"][0]["id"]

    assert house.caller("peggy")("DELETE", f"{path}/{newest}").status == 204

    assert_problem(holder_of(laptop)("GET", "me"), 401, "session_ended")
    assert_problem(renew(laptop["refresh"]), 401, "session_ended")
    assert holder_of(phone)("GET", "me").status == 200
    assert_problem(house.caller("peggy")("DELETE", f"{path}/{newest}"), 404, "not_found")


def test_a_session_of_somebody_else_that_never_was_or_that_is_no_id_are_the_same(house, bob):
    log_in("carol")
    of_carol = house.caller("peggy")("GET", f"users/{house.id('carol')}/sessions").body["results"][0]["id"]

    answers = [
        house.caller("peggy")("DELETE", f"users/{bob.pk}/sessions/{session}")
        for session in (of_carol, uuid4(), "17", "%00")
    ]

    assert len({assert_problem(answer, 404, "not_found")["detail"] for answer in answers}) == 1
    assert house.caller("carol")("GET", "me").status == 200


def test_the_sessions_of_one_who_is_hidden_are_those_of_nobody(house, bob):
    session = house.caller("alice")("GET", f"users/{house.id('alice')}/sessions").body["results"][0]["id"]
    UserGrantToGroup.objects.filter(content_object=house.user("alice"), permission__codename=VIEW_USER).delete()
    for user in (house.id("alice"), house.id("mallory"), uuid4()):
        for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", f"/{session}")):
            answer = house.caller("peggy")(method, f"users/{user}/sessions{path}")
            assert_problem(answer, 404, "not_found", about=(method, user))

    assert house.caller("alice")("GET", "me").status == 200


def test_nobody_ends_the_sessions_of_one_whose_role_is_beyond_his_own(house):
    alice = f"users/{house.id('alice')}/sessions"
    house.caller("alice")
    (session,) = house.caller("peggy")("GET", alice).body["results"]
    for path in (alice, f"{alice}/{session['id']}"):
        answer = house.caller("peggy")("DELETE", path)

        assert_problem(answer, 403, "not_held", about=path)
        assert "manage_grants" in answer.body["detail"]
    assert house.caller("alice")("GET", "me").status == 200
    assert house.caller("peggy")("DELETE", f"users/{house.id('peggy')}/sessions").status == 204, (
        "of her own role she may"
    )


def test_staff_log_somebody_out_everywhere(house):
    bob = house.caller("bob")

    assert house.caller("peggy")("DELETE", f"users/{house.id('bob')}/sessions").status == 204

    assert bob("GET", "users").status == 401
    assert house.caller("alice")("GET", "users").status == 200, "the others stay logged in"


def test_an_end_by_staff_bumps_the_rights_and_rings_the_bell(house, bob, bells):
    log_in("bob")
    rights, peggy = house.rights(), house.caller("peggy")
    bells.clear()

    peggy("DELETE", f"users/{bob.pk}/sessions")

    assert house.rights() > rights
    assert set(bells) == {house.acme.pk}
