"""What somebody does with his own account: see who he is, see and end his sessions, change his password."""

from itertools import pairwise
from uuid import UUID, uuid4

from accounts.models import Role
from tests.accounts.api_calls import assert_problem, holder_of, log_in, renew
from tests.accounts.house import PASSWORD

BETTER = "correct horse battery"


def test_me_tells_tenant_role_and_permissions(house):
    alice, carol, olga = (house.caller(name)("GET", "me") for name in ("alice", "carol", "olga"))

    assert alice.body == {
        "id": str(house.id("alice")),
        "username": "alice",
        "tenant": {"slug": "acme", "name": "Acme"},
        "role": "owner",
        "permissions": ["manage_grants", "manage_users", "watch_signups"],
    }
    assert (carol.body["role"], carol.body["permissions"], carol.body["tenant"]["slug"]) == (None, [], "acme")
    assert olga.body == {
        "id": str(house.id("olga")),
        "username": "olga",
        "tenant": None,
        "role": None,
        "permissions": [],
    }


def test_me_tells_the_rights_as_they_are_now(house, bob):
    caller = house.caller("bob")
    assert caller("GET", "me").body["permissions"] == ["watch_signups"]

    bob.groups.set([Role.objects.get(tenant=house.acme, name="admin").group])

    me = caller("GET", "me").body
    assert (me["role"], me["permissions"]) == ("admin", ["manage_users", "watch_signups"])


def test_me_asks_the_database_three_times(house, django_assert_num_queries):
    caller = house.caller("alice")
    caller("GET", "me")

    with django_assert_num_queries(3):
        caller("GET", "me")


def test_a_log_out_ends_this_session_and_no_other(house):
    here, elsewhere = log_in().body, log_in().body

    answer = holder_of(here)("POST", "auth/logout")

    assert (answer.status, answer.bytes) == (204, b"")
    assert_problem(holder_of(here)("GET", "me"), 401, "session_ended")
    assert_problem(renew(here["refresh"]), 401, "session_ended")
    assert holder_of(elsewhere)("GET", "me").status == 200


def test_a_new_password_ends_the_other_sessions_and_is_the_one_that_counts(house):
    here, elsewhere = log_in().body, log_in().body

    assert holder_of(here)("POST", "auth/password", {"current": PASSWORD, "new": BETTER}).status == 204

    assert holder_of(here)("GET", "me").status == 200
    assert renew(here["refresh"]).status == 200
    assert_problem(holder_of(elsewhere)("GET", "me"), 401, "session_ended")
    assert_problem(log_in(), 401, "bad_credentials")
    assert log_in(password=BETTER).status == 200


def test_a_password_is_changed_only_by_who_knows_it_and_only_to_a_good_one(house):
    alice = house.caller("alice")

    wrong = alice("POST", "auth/password", {"current": "guess", "new": BETTER})
    weak = alice("POST", "auth/password", {"current": PASSWORD, "new": "1234"})

    assert_problem(wrong, 400, "wrong_password")
    assert len(assert_problem(weak, 400, "weak_password")["errors"]["new"]) > 1
    assert log_in().status == 200


def test_guessing_at_the_current_password_is_limited_like_guessing_at_log_in(house):
    alice = house.caller("alice")
    guesses = [alice("POST", "auth/password", {"current": "guess", "new": BETTER}).status for _ in range(11)]

    assert guesses == [400] * 10 + [429]


def test_a_user_sees_his_live_sessions_newest_first(house):
    log_in("bob")
    holder_of(log_in().body)("POST", "auth/logout")
    first, second = log_in().body, log_in(**{"User-Agent": "phone"}).body

    body = holder_of(second)("GET", "auth/sessions").body

    assert (body["next"], body["previous"]) == (None, None)
    newest, oldest = body["results"]
    assert set(newest) == {"id", "created_at", "refreshed_at", "expires_at", "address", "agent", "current"}
    assert (newest["current"], newest["agent"], newest["address"]) == (True, "phone", "127.0.0.1")
    assert (oldest["current"], oldest["agent"]) == (False, None)
    assert holder_of(first)("GET", "auth/sessions").body["results"][1]["current"] is True


def test_many_sessions_come_in_pages(house):
    pairs = [log_in().body for _ in range(5)]

    seen, address = [], "auth/sessions?limit=2"
    while address:
        page = holder_of(pairs[0])("GET", address).body
        seen += [UUID(row["id"]) for row in page["results"]]
        address = page["next"]

    assert len(seen) == 5
    assert all(newer > older for newer, older in pairwise(seen))


def test_a_user_ends_one_of_his_sessions_and_nobody_elses(house):
    here, elsewhere = log_in().body, log_in().body
    alice, bob = holder_of(here), house.caller("bob")
    other_id = next(row["id"] for row in alice("GET", "auth/sessions").body["results"] if not row["current"])

    not_found = [bob("DELETE", f"auth/sessions/{other_id}"), alice("DELETE", f"auth/sessions/{uuid4()}")]
    assert alice("DELETE", f"auth/sessions/{other_id}").status == 204
    not_found.append(alice("DELETE", f"auth/sessions/{other_id}"))

    assert len({assert_problem(answer, 404, "not_found")["detail"] for answer in not_found}) == 1
    assert_problem(holder_of(elsewhere)("GET", "me"), 401, "session_ended")
    assert alice("GET", "me").status == 200


def test_a_user_can_end_the_session_at_hand(house):
    alice = house.caller("alice")
    own_id = alice("GET", "auth/sessions").body["results"][0]["id"]

    assert alice("DELETE", f"auth/sessions/{own_id}").status == 204

    assert_problem(alice("GET", "me"), 401, "session_ended")
