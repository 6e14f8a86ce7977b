"""Joining a tenant by oneself: open to everybody where the tenant says so, and telling nothing but what it must."""

import pytest

from accounts.models import User
from accounts.provisioning import change_tenant, create_tenant
from accounts.refusals import SignupClosed, TenantSuspended
from accounts.users import create_user
from realtime.models import Event
from tests.accounts.house import Caller

pytestmark = pytest.mark.each_database

DAVE = {"username": "Dave", "password": "correct-horse", "email": "dave@acme.test", "full_name": "Dave", "phone": None}


def sign_up(tenant="acme", body=DAVE, **headers):
    return Caller()("POST", f"tenants/{tenant}/signup", body, **headers)


def test_dave_signs_up_and_logs_in(house):
    answer = sign_up(**{"User-Agent": "curl/8 \u00e9"})

    dave = house.user("dave")
    assert (answer.status, answer.body) == (201, {"id": str(dave.pk), "username": "dave", "tenant": "acme"})
    assert (dave.tenant, dave.joined_via, dave.email, dave.phone) == (house.acme, "signup", "dave@acme.test", "")
    assert (dave.address, dave.agent) == ("127.0.0.1", "curl/8 \u00e9")
    assert not dave.groups.exists(), "whoever signs up is a member"
    credentials = {"tenant": "acme", "username": "DAVE", "password": "correct-horse"}
    assert Caller()("POST", "auth/token", credentials).status == 200


def test_a_taken_name_is_told_and_nothing_else(house):
    answer = sign_up(body=DAVE | {"username": "BOB"})

    assert (answer.status, answer.body["code"]) == (409, "username_taken")
    assert answer.body["detail"] == "acme already has a user named bob; choose another name."
    assert answer.body.keys() == {"status", "title", "code", "detail", "request_id"}


def test_the_same_name_joins_two_tenants(house):
    assert (sign_up("acme").status, sign_up("globex").status) == (201, 201)


def test_only_open_doors(house):
    for policy in ("closed", "invite"):
        change_tenant(house.acme, signup_policy=policy)

        answer = sign_up()

        assert (answer.status, answer.body["code"]) == (403, "signup_closed")
        assert policy in answer.body["detail"]
    with pytest.raises(SignupClosed):
        create_user(tenant=create_tenant(slug="shut", name="Shut"), username="dave", joined_via="signup")
    assert not User.objects.filter(username="dave").exists()


def test_a_suspended_tenant_says_when_to_come_back(house):
    suspended = change_tenant(house.acme, is_active=False)

    answer = sign_up()

    assert (answer.status, answer.body["code"], int(answer.headers["Retry-After"]) > 0) == (
        503,
        "tenant_suspended",
        True,
    )
    with pytest.raises(TenantSuspended):
        create_user(tenant=suspended, username="dave", joined_via="signup")


def test_a_tenant_that_never_was(house):
    for slug in ("initech", "ACME", "acme%00", "a" * 64, "%2e%2e"):
        assert sign_up(slug).status == 404, slug


def test_what_cannot_be_is_refused_by_field(house):
    for body, field in (
        ({"username": "dave"}, "password"),
        (DAVE | {"password": None}, "password"),
        (DAVE | {"password": "1234"}, "password"),
        (DAVE | {"password": "dave@acme.test"}, "password"),
        (DAVE | {"email": "nobody"}, "email"),
        (DAVE | {"role": "owner"}, "role"),
        (DAVE | {"tenant": "globex"}, "tenant"),
        (DAVE | {"address": "10.0.0.1"}, "address"),
    ):
        answer = sign_up(body=body)

        assert (answer.status, list(answer.body["errors"])) == (400, [field]), body
    assert not Event.objects.filter(snapshot__username="dave").exists()


def test_a_stale_token_is_no_obstacle(house):
    assert Caller("stale")("POST", "tenants/acme/signup", DAVE).status == 201


def test_one_address_signs_up_so_often_and_no_more(house):
    # More than two minutes' worth: a new minute may begin meanwhile, but not two.
    statuses = [sign_up(body={}).status for _ in range(61)]

    assert statuses[:30] == [400] * 30
    assert 429 in statuses
    assert int(sign_up_until_refused().headers["Retry-After"]) > 0


def sign_up_until_refused():
    return next(answer for answer in iter(lambda: sign_up(body={}), None) if answer.status == 429)
