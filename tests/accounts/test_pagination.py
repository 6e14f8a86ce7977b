"""Pages of a list: whole, in order, without a count, and without a trace of what is hidden."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.grants import give_grant
from accounts.models import User
from accounts.permissions import VIEW_USER
from accounts.users import Newcomer, import_users
from realtime.identity import new_id

pytestmark = pytest.mark.each_database


@pytest.fixture
def crowd(house):
    """Ten more of acme, every third of them hidden from everybody."""
    import_users(tenant=house.acme, people=[Newcomer(f"u{number}") for number in range(10)])
    for name in ("u0", "u3", "u6", "u9"):
        house.user(name).grants_to_groups.all().delete()
    return house


ALL_SEEN = ["u8", "u7", "u5", "u4", "u2", "u1", "carol", "trent", "bob", "peggy", "alice"]


def names(answer):
    return [row["username"] for row in answer.body["results"]]


def test_pages_forth_and_back_show_everybody_once(crowd):
    bob = crowd.caller("bob")

    forth, page = [], bob("GET", "users?limit=4")
    assert page.body["previous"] is None
    while True:
        forth.append(names(page))
        if page.body["next"] is None:
            break
        page = bob("GET", page.body["next"])
    back = []
    while page.body["previous"] is not None:
        page = bob("GET", page.body["previous"])
        back.append(names(page))

    assert forth == [ALL_SEEN[:4], ALL_SEEN[4:8], ALL_SEEN[8:]]
    assert back == [ALL_SEEN[4:8], ALL_SEEN[:4]]


def test_who_is_seen_by_a_role_and_by_a_grant_of_ones_own_is_one_row(crowd):
    for name in ("u8", "u3", "alice"):  # u3 by it alone
        give_grant(subject=crowd.user(name), permission=VIEW_USER, to=crowd.user("bob"))
    seen = sorted([*ALL_SEEN, "u3"], key=lambda name: crowd.user(name).pk, reverse=True)
    bob = crowd.caller("bob")

    first = bob("GET", "users?limit=5")
    second = bob("GET", first.body["next"])
    third = bob("GET", second.body["next"])

    assert [*names(first), *names(second), *names(third)] == seen
    assert (len(names(second)), third.body["next"]) == (5, None)
    assert names(bob("GET", third.body["previous"])) == seen[5:10]


def test_whoever_comes_meanwhile_moves_no_page(crowd):
    first = crowd.caller("bob")("GET", "users?limit=4")
    crowd.add("late")

    second = crowd.caller("bob")("GET", first.body["next"])

    assert names(second) == ALL_SEEN[4:8]
    newer = crowd.caller("bob")("GET", f"users?after={first.body['results'][0]['id']}")
    assert (names(newer), newer.body["previous"]) == (["late"], None)


def test_a_page_without_rows_says_what_lies_beside_it(crowd):
    bob = crowd.caller("bob")
    newest, oldest = crowd.id("u8"), crowd.id("alice")

    news, history = bob("GET", f"users?limit=4&after={newest}"), bob("GET", f"users?limit=4&before={oldest}")

    assert names(news) == names(history) == []
    assert (news.body["previous"], history.body["next"]) == (None, None), "the hidden u9 is newer, and nobody's"
    assert names(bob("GET", news.body["next"])) == ALL_SEEN[1:5]
    assert names(bob("GET", history.body["previous"])) == ALL_SEEN[-5:-1]


def test_a_page_without_rows_in_a_list_without_any_is_alone(crowd):
    for side in ("after", "before"):
        page = crowd.caller("bob")("GET", f"users?q=nobody-is-called-so&{side}={crowd.id('u8')}")

        assert page.body == {"results": [], "next": None, "previous": None}


def test_filters_stay_on_the_way(crowd):
    first = crowd.caller("bob")("GET", "users?limit=2&joined_via=import&q=u")

    second = crowd.caller("bob")("GET", first.body["next"])

    assert names(first) + names(second) == ["u8", "u7", "u5", "u4"]
    assert "joined_via=import" in second.body["previous"]


def test_a_page_that_ends_with_the_list_has_no_next(crowd):
    assert crowd.caller("bob")("GET", f"users?limit={len(ALL_SEEN)}").body["next"] is None
    assert crowd.caller("bob")("GET", f"users?limit={len(ALL_SEEN) - 1}").body["next"] is not None


def test_no_cursor_tells_a_hidden_row_from_garbage(crowd):
    hidden, foreign = crowd.id("u9"), crowd.id("mallory")
    cursors = [
        f"{side}={value}" for side in ("before", "after") for value in (hidden, foreign, new_id(), "x", "", "%00")
    ]

    answers = [
        crowd.caller("bob")("GET", f"users?{query}", **{"X-Request-ID": "0" * 32})
        for query in [*cursors, f"before={crowd.id('u8')}&after={crowd.id('u1')}"]
    ]

    assert {answer.status for answer in answers} == {400}
    assert len({answer.bytes for answer in answers}) == 1


def test_limits(crowd):
    for limit in ("0", "-1", "201", "1e2", "x", "", "٣", "9" * 5000):
        answer = crowd.caller("bob")("GET", f"users?limit={limit}")

        assert (answer.status, answer.body["code"]) == (400, "bad_limit"), limit
    assert crowd.caller("bob")("GET", "users?limit=200").status == 200


def test_a_page_costs_the_same_however_many_rows_it_has(crowd):
    def queries(name, path):
        caller = crowd.caller(name)
        with CaptureQueriesContext(connection) as made:
            answer = caller("GET", path)
        return len(made), len(answer.body["results"])

    queries("alice", "users?limit=2")  # a process looks content types up once
    for name in ("alice", "bob"):
        few, rows = queries(name, "users?limit=2")
        many, more_rows = queries(name, "users?limit=200")

        assert (rows, more_rows) == (2, len(ALL_SEEN))
        assert few == many <= 16, name


def test_a_hidden_row_is_no_hole_in_the_numbers(crowd):
    body = crowd.caller("bob")("GET", "users?limit=4").body

    assert list(body) == ["results", "next", "previous"]
    assert len(body["results"]) == 4, "a full page, although hidden rows lie between"
    assert User.objects.filter(tenant=crowd.acme).count() > len(ALL_SEEN)
