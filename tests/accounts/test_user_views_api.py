"""The users of a tenant over REST: who sees whom, and how much of it."""

import json
import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.grants import give_grant
from accounts.models import UserGrantToUser
from accounts.permissions import VIEW_USER_CONTACT
from accounts.roles import role_of
from realtime.identity import new_id
from tests.accounts.house import CONTACT, ORIGIN, PUBLIC

pytestmark = pytest.mark.each_database

STATE = ["is_active", "role"]
UUID_IN_SQL = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
# Who sees which fields of a user of acme, and which he is told are hidden.
MASKS = {
    "alice": ([*PUBLIC, *CONTACT, *ORIGIN, *STATE], []),
    "peggy": ([*PUBLIC, *CONTACT, *STATE], ORIGIN),
    "bob": (PUBLIC, [*CONTACT, *ORIGIN]),
}


@pytest.fixture
def dave(house):
    return house.add(
        "dave",
        joined_via="signup",
        full_name="Dave Dyer",
        email="dave@acme.test",
        phone="+43 1 555",
        address="192.0.2.7",
        agent="curl/8",
        password="correct-horse",
    )


def test_everybody_sees_dave_as_far_as_he_may(house, dave):
    for name, (seen, redacted) in MASKS.items():
        listed = house.caller(name)("GET", "users").body["results"]
        alone = house.caller(name)("GET", f"users/{dave.pk}").body

        assert next(row for row in listed if row["username"] == "dave") == alone
        assert alone.keys() == {*seen, "redacted"}, name
        assert alone["redacted"] == redacted, name


def test_dave_whole(house, dave):
    assert house.caller("alice")("GET", f"users/{dave.pk}").body == {
        "id": str(dave.pk),
        "username": "dave",
        "full_name": "Dave Dyer",
        "joined_via": "signup",
        "joined_at": dave.joined_at.isoformat().replace("+00:00", "Z"),
        "email": "dave@acme.test",
        "phone": "+43 1 555",
        "address": "192.0.2.7",
        "agent": "curl/8",
        "redacted": [],
        "is_active": True,
        "role": None,
    }


def test_empty_is_null_and_hidden_is_named(house):
    erin = house.add("erin")

    assert house.caller("alice")("GET", f"users/{erin.pk}").body["email"] is None
    assert "email" in house.caller("bob")("GET", f"users/{erin.pk}").body["redacted"]


def test_trent_sees_an_empty_list(house, dave):
    answer = house.caller("trent")("GET", "users")

    assert answer.body == {"results": [], "next": None, "previous": None}


def test_a_grant_on_dave_shows_dave_alone(house, dave):
    give_grant(subject=dave, permission="view_user", to=house.user("trent"))

    (row,) = house.caller("trent")("GET", "users").body["results"]

    assert row["username"] == "dave"


def test_rows_come_newest_first(house, dave):
    names = [row["username"] for row in house.caller("bob")("GET", "users").body["results"]]

    assert names == ["dave", "carol", "trent", "bob", "peggy", "alice"]


WAYS_IN = [
    ("GET", "users/{id}", None),
    ("PATCH", "users/{id}", {"is_active": False}),
    ("PATCH", "users/{id}", {"nonsense": 1}),
    ("DELETE", "users/{id}/sessions", None),
    ("GET", "users/{id}/grants", None),
    ("POST", "users/{id}/grants", {"permission": "view_user", "role": "viewer"}),
    ("DELETE", "users/{id}/grants/{id}", None),
]


def test_hidden_foreign_and_never_created_are_one_and_the_same(house, dave):
    """A hidden user of Alice's tenant, Mallory, an id that never was, and what is no id: the same bytes and headers."""
    hidden = house.add("hidden")
    hidden.grants_to_groups.all().delete()
    ids = [hidden.pk, house.id("mallory"), new_id(), uuid4(), "dave", str(dave.pk).replace("-", ""), "%00"]
    alice, same_request = house.caller("alice"), {"X-Request-ID": "0" * 32}
    for method, path, body in WAYS_IN:
        answers = [alice(method, path.format(id=identity), body, **same_request) for identity in ids]

        assert {answer.status for answer in answers} == {404}, path
        assert len({answer.bytes for answer in answers}) == 1, path
        assert len({json.dumps(sorted(answer.headers.items())) for answer in answers}) == 1, path


def test_the_database_is_asked_the_same_of_the_hidden_the_foreign_and_the_never_created(house, dave):
    """What was asked of hidden users alone told by the time of the answer who is there."""
    hidden = house.add("hidden")
    hidden.grants_to_groups.all().delete()
    alice = house.caller("alice")
    # A process looks content types up once, whoever is asked about first.
    assert alice("GET", f"users/{dave.pk}").status == 200

    def asked(method, path, body, identity):
        with CaptureQueriesContext(connection) as captured:
            assert alice(method, path.format(id=identity), body).status == 404, path
        return [UUID_IN_SQL.sub("…", query["sql"]) for query in captured]

    for method, path, body in WAYS_IN:
        of_hidden = asked(method, path, body, hidden.pk)

        assert any(UserGrantToUser._meta.db_table in sql for sql in of_hidden), path
        for identity in (house.id("mallory"), new_id(), uuid4()):
            assert asked(method, path, body, identity) == of_hidden, path


def test_mallory_finds_nobody_of_acme_even_with_a_grant_there(house, dave):
    """As if by mistake, past the service, which refuses it: the judge does not count it."""
    alice_role = role_of(house.user("alice"))
    house.user("mallory").groups.add(alice_role.group)
    mallory = house.caller("mallory")

    assert [row["username"] for row in mallory("GET", "users").body["results"]] == ["mallory"]
    assert mallory("GET", f"users/{dave.pk}").status == 404
    assert mallory("PATCH", f"users/{dave.pk}", {"is_active": False}).status == 404
    assert house.user("dave").is_active


def test_a_search_finds_only_in_what_the_searcher_sees(house, dave):
    def found(name, query):
        return [row["username"] for row in house.caller(name)("GET", f"users?{query}").body["results"]]

    assert found("bob", "q=DAVE") == ["dave"]
    assert found("bob", "q=dyer") == ["dave"]
    assert found("alice", "q=dave@acme") == ["dave"]
    assert found("bob", "q=dave@acme") == [], "Bob does not see the address, so a match would tell it"
    assert found("bob", "q=555") == []
    assert found("alice", "q=curl") == [], "origin is not searched"
    assert found("alice", "q=%25") == [], "no pattern but the text itself"
    assert found("alice", "joined_via=signup") == ["dave"]
    assert found("mallory", "q=dave") == []
    give_grant(subject=dave, permission=VIEW_USER_CONTACT, to=house.user("bob"))
    assert found("bob", "q=555") == ["dave"]


def test_a_filter_that_cannot_be_is_refused(house):
    for query in ("joined_via=nonsense", "joined_via=", f"q={'x' * 201}", "q=a%00b"):
        answer = house.caller("alice")("GET", f"users?{query}")

        assert (answer.status, answer.body["code"]) == (400, "bad_filter"), query
