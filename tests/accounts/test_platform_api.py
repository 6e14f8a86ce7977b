"""Tenants, as operators keep them."""

import pytest

from accounts.models import Role
from accounts.permissions import FIRST_ROLES
from accounts.provisioning import create_tenant
from accounts.refusals import FieldsRefused, SlugTaken
from accounts.roles import default_grants_of, tenant_permissions_of
from tenants.models import Tenant
from tests.accounts.house import PASSWORD, Caller

pytestmark = pytest.mark.each_database


def test_a_tenant_begins_with_its_first_roles(house):
    answer = house.caller("olga")("POST", "platform/tenants", {"slug": "initech", "name": "Initech"})

    assert (answer.status, answer.body) == (
        201,
        {"slug": "initech", "name": "Initech", "is_active": True, "signup_policy": "closed", "retention_days": 7},
    )
    tenant = Tenant.objects.get(slug="initech")
    roles = {role.name: role for role in Role.objects.filter(tenant=tenant)}
    assert roles.keys() == FIRST_ROLES.keys()
    for name, (permissions, default_grants) in FIRST_ROLES.items():
        assert roles[name].group.name == f"tenant_{tenant.pk}_{name}"
        assert tenant_permissions_of(roles[name]) == set(permissions)
        assert default_grants_of([roles[name]]) == set(default_grants)


def test_a_slug_is_given_once(house):
    answer = house.caller("olga")("POST", "platform/tenants", {"slug": "acme", "name": "Acme"})

    assert (answer.status, answer.body["code"]) == (409, "slug_taken")
    with pytest.raises(SlugTaken):
        create_tenant(slug="acme", name="Acme")


def test_what_no_tenant_can_be(house):
    for body, field in (
        ({"name": "X"}, "slug"),
        ({"slug": "x"}, "name"),
        ({"slug": "No", "name": "X"}, "slug"),
        ({"slug": "-x", "name": "X"}, "slug"),
        ({"slug": "x" * 64, "name": "X"}, "slug"),
        ({"slug": "x", "name": "X", "signup_policy": "maybe"}, "signup_policy"),
        ({"slug": "x", "name": "a\nb"}, "name"),
        ({"slug": "x", "name": "X", "id": 1}, "id"),
    ):
        answer = house.caller("olga")("POST", "platform/tenants", body)

        assert (answer.status, list(answer.body["errors"])) == (400, [field]), body
    with pytest.raises(FieldsRefused):
        create_tenant(slug="x\n", name="X")
    assert not Tenant.objects.filter(slug="x").exists()


def test_suspension_closes_a_tenant_and_resumption_opens_it(house):
    olga, alice = house.caller("olga"), house.caller("alice")
    assert alice("GET", "users").status == 200

    assert olga("PATCH", "platform/tenants/acme", {"is_active": False}).body["is_active"] is False

    closed = alice("GET", "users")
    assert (closed.status, closed.body["code"], "Retry-After" in closed.headers) == (503, "tenant_suspended", True)
    credentials = {"tenant": "acme", "username": "alice", "password": PASSWORD}
    assert Caller()("POST", "auth/token", credentials).status == 503
    assert house.caller("mallory")("GET", "users").status == 200, "other tenants notice nothing"
    assert olga("PATCH", "platform/tenants/acme", {"is_active": True}).status == 200
    assert alice("GET", "users").status == 200


def test_a_change_of_nothing_and_of_what_cannot_be_changed(house):
    olga = house.caller("olga")
    assert olga("PATCH", "platform/tenants/acme", {}).body["signup_policy"] == "open"
    assert olga("PATCH", "platform/tenants/acme", {"signup_policy": "invite"}).body["signup_policy"] == "invite"
    assert olga("PATCH", "platform/tenants/acme", {"retention_days": 30}).body["retention_days"] == 30
    for days in (0, -1, 3651, "7", 7.0, True, None):
        assert olga("PATCH", "platform/tenants/acme", {"retention_days": days}).status == 400, days
    assert olga("PATCH", "platform/tenants/acme", {"slug": "apex"}).status == 400
    assert olga("PATCH", "platform/tenants/acme", {"is_active": "no"}).status == 400
    assert olga("PATCH", "platform/tenants/nowhere", {"is_active": False}).status == 404
    assert olga("PATCH", "platform/tenants/%00", {"is_active": False}).status == 404
