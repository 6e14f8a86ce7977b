"""What only a demo has: its people for everybody to read, and sign-ups at the press of a button."""

from collections import Counter

import pytest
from django.test import override_settings
from django.urls import include, path

from accounts import demo
from accounts.kinds import USER_CREATED
from accounts.models import JoinedVia, User
from config import urls
from realtime.models import Event
from tests.accounts.api_calls import assert_problem, log_in
from tests.accounts.house import Caller

urlpatterns = [*urls.urlpatterns, path("api/v1/", include("accounts.api.demo"))]
handler404 = urls.handler404

in_demo = override_settings(ROOT_URLCONF=__name__)
pytestmark = pytest.mark.each_database


@in_demo
def test_the_people_of_the_demo_can_be_read_by_anybody_and_log_in(house):
    people = Caller()("GET", "demo").body["people"]

    assert [(person["tenant"], person["username"]) for person in people] == [
        (person.tenant, person.username) for person in demo.PEOPLE
    ]
    alice = people[0]
    assert alice["description"] == "Sees every sign-up at acme, with every field"
    assert log_in(alice["username"], tenant=alice["tenant"], password=alice["password"]).status == 200


@in_demo
@pytest.mark.parametrize("name", ["alice", "carol", "mallory"])
def test_whoever_is_of_a_tenant_has_people_sign_up_there_each_with_its_event(house, name):
    tenant = house.user(name).tenant
    before = set(User.objects.values_list("pk", flat=True))

    answer = house.caller(name)("POST", "demo/signups", {"count": 40})

    assert (answer.status, answer.body) == (201, {"created": 40})
    newcomers = User.objects.exclude(pk__in=before)
    assert {user.tenant_id for user in newcomers} == {tenant.pk}
    assert len(newcomers) == 40
    told = Event.objects.filter(kind=USER_CREATED.name, subject_id__in=newcomers.values("pk"))
    assert told.count() == 40


@in_demo
def test_people_who_are_made_up_differ_in_what_one_knows_of_them(house):
    before = set(User.objects.values_list("pk", flat=True))

    house.caller("alice")("POST", "demo/signups", {"count": 100})

    newcomers = list(User.objects.exclude(pk__in=before))
    ways = Counter(user.joined_via for user in newcomers)
    assert len(ways) >= 4
    assert ways.most_common(1)[0][0] == JoinedVia.SIGNUP
    for field in ("full_name", "email", "phone"):
        assert {bool(getattr(user, field)) for user in newcomers} == {True, False}, field
    assert all((user.address is not None) == (user.joined_via == JoinedVia.SIGNUP) for user in newcomers)
    assert not any(user.has_usable_password() for user in newcomers), "nobody could log in as them"


@in_demo
@pytest.mark.parametrize("count", [0, 101, "7", 1.5, None])
def test_a_number_that_is_none_is_refused(house, count):
    before = User.objects.count()

    assert_problem(house.caller("alice")("POST", "demo/signups", {"count": count}), 400, "invalid")
    assert User.objects.count() == before


@in_demo
def test_nobody_and_an_operator_have_nobody_sign_up(house):
    assert_problem(Caller()("POST", "demo/signups", {"count": 1}), 401, "unauthenticated")
    assert_problem(house.caller("olga")("POST", "demo/signups", {"count": 1}), 403, "not_authorised")


def test_without_a_demo_there_is_nothing_of_this(house):
    for caller in (Caller(), house.caller("alice")):
        unknown = caller("POST", "nothing-here", {"count": 1})
        for method, where in (("GET", "demo"), ("POST", "demo/signups"), ("PUT", "demo"), ("GET", "demo/signups")):
            answer = caller(method, where, {"count": 1} if method == "POST" else None)
            assert_problem(answer, 404, "not_found")
            assert {**answer.body, "request_id": ""} == {**unknown.body, "request_id": ""}
