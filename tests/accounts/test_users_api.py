"""The users of a tenant over REST: created, changed, logged out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import create_role
from accounts.users import change_user
from tests.accounts.house import CONTACT, ORIGIN, PASSWORD, PUBLIC

pytestmark = pytest.mark.each_database


def test_peggy_creates_erin_and_sees_her_as_she_may(house):
    answer = house.caller("peggy")(
        "POST", "users", {"username": "Erin", "email": "erin@acme.test", "phone": None, "role": "viewer"}
    )

    assert answer.status == 201
    assert answer.body["username"] == "erin"
    assert answer.body["email"] == "erin@acme.test"
    assert answer.body["joined_via"] == "api"
    assert answer.body["role"] == "viewer"
    assert answer.body["redacted"] == ORIGIN
    erin = house.user("erin")
    assert (erin.address, erin.agent, erin.tenant) == (None, "", house.acme)


def test_a_creator_who_may_not_see_the_newcomer_is_told_nothing_but_what_is_hidden(house):
    create_role(house.acme, "clerk", permissions=["manage_users"], default_grants=[])
    house.add("victor", role="clerk", password=PASSWORD)

    answer = house.caller("victor")("POST", "users", {"username": "erin", "email": "erin@acme.test"})

    assert (answer.status, answer.body) == (201, {"redacted": [*PUBLIC, *CONTACT, *ORIGIN]})
    assert house.user("erin").email == "erin@acme.test"


def test_a_creation_asks_for_nothing_twice_but_for_who_may_create(house):
    """He is judged when he comes, and when nothing is left but the commit; grants are read once, for the answer."""
    peggy, asked = house.caller("peggy"), []
    peggy("POST", "users", {"username": "erin"})  # a process looks some things up once
    with CaptureQueriesContext(connection) as captured:
        assert peggy("POST", "users", {"username": "trudy"}).body["role"] is None
    asked = [query["sql"] for query in captured]

    judged = [place for place, sql in enumerate(asked) if "FROM accounts_session s" in sql]
    begins, ends = (next(n for n, sql in enumerate(asked) if sql.startswith(word)) for word in ("BEGIN", "COMMIT"))
    assert judged == [0, ends - 2]
    assert begins == 1
    assert "FROM accounts_usergranttogroup" in asked[ends - 1]
    assert len(asked) == ends + 1 <= 12
    assert not any("SAVEPOINT" in sql for sql in asked)


NO_USERS = [
    ({}, "username"),
    ({"username": ""}, "username"),
    ({"username": " \t "}, "username"),
    ({"username": "ev\u200be"}, "username"),
    ({"username": 7}, "username"),
    ({"username": None}, "username"),
    ({"username": "x" * 151}, "username"),
    ({"username": "erin", "email": "erin"}, "email"),
    ({"username": "erin", "full_name": "a\u0000b"}, "full_name"),
    ({"username": "erin", "full_name": "a\nb"}, "full_name"),
    ({"username": "erin", "phone": "1" * 41}, "phone"),
    ({"username": "erin", "password": "short"}, "password"),
    ({"username": "erin", "tenant": "globex"}, "tenant"),
    ({"username": "erin", "joined_via": "signup"}, "joined_via"),
    ({"username": "erin", "is_staff": True}, "is_staff"),
    ({"username": "erin", "address": "192.0.2.7"}, "address"),
]


def test_what_no_user_can_be_is_refused_by_field(house):
    for body, field in NO_USERS:
        answer = house.caller("alice")("POST", "users", body)

        assert (answer.status, answer.body["code"]) == (400, "invalid"), body
        assert list(answer.body["errors"]) == [field], body
    assert not User.objects.filter(username="erin").exists()


def test_a_taken_name_is_told_in_every_spelling(house):
    for spelling in ("bob", "BOB", "ｂｏｂ", " bob "):
        answer = house.caller("alice")("POST", "users", {"username": spelling})

        assert (answer.status, answer.body["code"]) == (409, "username_taken")
        assert answer.body["detail"] == "acme already has a user named bob; choose another name."


def test_a_name_of_another_tenant_is_free(house):
    assert house.caller("alice")("POST", "users", {"username": "mallory"}).status == 201


def test_an_unknown_role_is_told(house):
    answer = house.caller("alice")("POST", "users", {"username": "erin", "role": "king"})

    assert (answer.status, answer.body["code"]) == (400, "unknown_role")
    assert answer.body["detail"] == "role is 'king'; expected one of owner, admin, viewer, trainee."


def test_a_change_shows_the_user_as_it_is_now(house):
    dave = house.add("dave")
    answer = house.caller("alice")("PATCH", f"users/{dave.pk}", {"is_active": False, "role": "viewer"})

    assert (answer.body["is_active"], answer.body["role"]) == (False, "viewer")
    assert house.caller("alice")("GET", f"users/{dave.pk}").body == answer.body
    again = house.caller("alice")("PATCH", f"users/{dave.pk}", {"is_active": True, "role": None})
    assert (again.body["is_active"], again.body["role"]) == (True, None)


def test_deactivation_ends_sessions_at_once(house):
    bob = house.caller("bob")
    assert bob("GET", "users").status == 200

    house.caller("alice")("PATCH", f"users/{house.id('bob')}", {"is_active": False})

    assert bob("GET", "users").status == 403
    change_user(user=house.user("bob"), is_active=True)
    assert bob("GET", "users").body["code"] == "session_ended"
