"""The Django admin: for operators alone, through the services, refusing what they refuse."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import Role, User
from accounts.permissions import OWNER, VIEWER
from accounts.roles import default_grants_of, role_named, role_of, tenant_permissions_of
from realtime.models import Event
from tenants.models import Tenant
from tests.accounts.house import PASSWORD

pytestmark = pytest.mark.each_database

USERS, TENANTS, ROLES = "/admin/accounts/user/", "/admin/tenants/tenant/", "/admin/accounts/role/"


@pytest.fixture
def olga(house):
    client = Client()
    response = client.post("/admin/login/?next=/admin/", {"username": "olga", "password": PASSWORD})
    assert response.status_code == 302
    return client


def said(response) -> str:
    assert response.status_code == 200, "a form that was saved answers with a redirect"
    return response.content.decode()


def test_people_of_tenants_do_not_get_in(house):
    client = Client()
    assert "correct username" in said(client.post("/admin/login/", {"username": "alice", "password": PASSWORD}))
    assert client.get(USERS).status_code == 302


def test_an_operator_who_is_no_staff_sees_nothing(house):
    User.objects.filter(username="olga").update(is_staff=False)
    client = Client()
    client.force_login(house.user("olga"), backend="accounts.authentication.OperatorBackend")

    assert client.get(USERS).status_code == 302


def test_every_page_opens_and_shows_nobodys_contact(house, olga):
    dave = house.add("dave", joined_via="signup", email="dave@acme.test", phone="+43 1 555", address="192.0.2.7")
    pages = [
        "/admin/",
        USERS,
        f"{USERS}?q=dave",
        f"{USERS}add/",
        f"{USERS}{dave.pk}/change/",
        TENANTS,
        f"{TENANTS}add/",
    ]
    pages += [f"{TENANTS}{house.acme.pk}/change/", ROLES, f"{ROLES}add/"]
    pages += [f"{ROLES}{role.pk}/change/" for role in Role.objects.filter(tenant=house.acme)]
    for page in pages:
        text = said(olga.get(page))

        assert not any(hidden in text for hidden in ("dave@acme.test", "+43 1 555", "192.0.2.7")), page
    assert "/admin/auth/group/" not in said(olga.get("/admin/"))


@pytest.mark.parametrize(
    "asked",
    [
        "email__icontains=a",
        "phone=1",
        "address=1",
        "agent__startswith=c",
        "password__startswith=argon2",
        "joined_at__year=99999999",
        "joined_via__exact=%00",
        "full_name__contains=D",
        "groups__name=x",
    ],
)
def test_a_list_is_narrowed_by_its_own_filters_alone(house, olga, asked):
    """Any other field's would tell what operators are not shown, letter by letter."""
    dave = house.add("dave", email="dave@acme.test", joined_via="signup")
    filters = f"is_active__exact=1&joined_via__exact=signup&tenant__id__exact={dave.tenant_id}"

    assert f">{dave.username}<" in said(olga.get(f"{USERS}?{filters}"))
    assert olga.get(f"{USERS}?{asked}").status_code == 400


def test_operators_are_found_by_the_lists_own_filter(house, olga):
    shown = said(olga.get(f"{USERS}?tenant__isnull=True"))

    assert ">olga<" in shown
    assert ">alice<" not in shown


def test_a_user_is_added_with_its_role_and_event(house, olga):
    form = {
        "tenant": house.acme.pk,
        "username": "Erin",
        "password": "correct-horse",
        "role": role_named(house.acme.pk, VIEWER).pk,
        "email": "erin@acme.test",
    }

    assert olga.post(f"{USERS}add/", form).status_code == 302

    erin = house.user("erin")
    assert (erin.joined_via, erin.address, erin.agent, role_of(erin).name) == ("admin", None, "", VIEWER)
    assert erin.check_password("correct-horse")
    assert Event.objects.get(subject_id=erin.pk).snapshot["email"] == "erin@acme.test"


def test_a_password_is_hashed_in_no_transaction(house, olga, hashed_inside):
    form = {"tenant": house.acme.pk, "username": "erin", "password": "correct-horse"}

    assert olga.post(f"{USERS}add/", form).status_code == 302

    assert hashed_inside == [False]


def test_a_form_needs_its_token(house):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.user("olga"), backend="accounts.authentication.OperatorBackend")

    assert browser.post(f"{TENANTS}add/", {"slug": "initech", "name": "Initech"}).status_code == 403


def test_what_the_service_refuses_stands_in_the_form(house, olga):
    acme = house.acme.pk
    for form, sentence in (
        ({"tenant": acme, "username": "BOB"}, "acme already has a user named bob; choose another name."),
        ({"tenant": acme, "username": "ev\u200be"}, "expected no control or invisible characters"),
        ({"tenant": acme, "username": "erin", "password": "1234"}, "too short"),
        ({"tenant": acme, "username": "erin", "email": "nobody"}, "valid email"),
        ({"tenant": acme, "username": "erin", "role": role_named(house.globex.pk, OWNER).pk}, "expected one of acme"),
        ({"username": "erin"}, "required"),
    ):
        assert sentence in said(olga.post(f"{USERS}add/", form)), form
    assert not User.objects.filter(username="erin").exists()


def test_the_last_owner_stays(house, olga):
    alice = house.user("alice")
    owner, viewer = (role_named(house.acme.pk, name).pk for name in (OWNER, VIEWER))
    for form in ({"role": owner}, {"is_active": "on", "role": viewer}, {"is_active": "on"}):
        assert "last active owner of acme" in said(olga.post(f"{USERS}{alice.pk}/change/", form)), form
    assert house.user("alice").is_active
    assert role_of(alice).name == OWNER


def test_a_user_is_deactivated_and_given_a_role(house, olga):
    bob = house.caller("bob")
    path = f"{USERS}{house.id('bob')}/change/"

    assert olga.post(path, {"is_active": "on", "role": role_named(house.acme.pk, "trainee").pk}).status_code == 302
    assert bob("GET", "me").body["role"] == "trainee"
    assert olga.post(path, {"role": ""}).status_code == 302

    assert role_of(house.user("bob")) is None
    assert bob("GET", "me").status == 403


def test_nobody_is_deleted(house, olga):
    assert olga.post(f"{USERS}{house.id('bob')}/delete/", {"post": "yes"}).status_code == 403
    olga.post(USERS, {"action": "delete_selected", "_selected_action": [house.id("bob")], "post": "yes"})
    assert olga.post(f"{TENANTS}{house.acme.pk}/delete/", {"post": "yes"}).status_code == 403
    assert house.user("bob")


def test_a_tenant_is_added_suspended_and_resumed(house, olga):
    assert (
        olga.post(f"{TENANTS}add/", {"slug": "initech", "name": "Initech", "signup_policy": "open"}).status_code == 302
    )
    initech = Tenant.objects.get(slug="initech")
    assert Role.objects.filter(tenant=initech).count() == 3

    form = {"name": "Initech", "signup_policy": "closed", "retention_days": 7}
    assert olga.post(f"{TENANTS}{initech.pk}/change/", form).status_code == 302
    initech.refresh_from_db()
    assert (initech.is_active, initech.signup_policy) == (False, "closed")
    assert olga.post(f"{TENANTS}{initech.pk}/change/", form | {"is_active": "on"}).status_code == 302
    initech.refresh_from_db()
    assert initech.is_active
    assert "greater than or equal to 1" in said(
        olga.post(f"{TENANTS}{initech.pk}/change/", form | {"retention_days": 0})
    ), "a log that keeps nothing would break more than resuming"
    taken = {"slug": "acme", "name": "Acme", "signup_policy": "open"}
    assert "already exists" in said(olga.post(f"{TENANTS}add/", taken))


@pytest.mark.parametrize("days", ["0", "3651", "99999999"])
def test_a_retention_beyond_the_calendar_is_refused(house, olga, days):
    """SQLite would keep it, and then no server could tell how old a cursor may be, of any tenant."""
    path, fields = f"{TENANTS}{house.acme.pk}/change/", {"name": "Acme", "signup_policy": "open", "is_active": "on"}

    assert "Ensure this value is" in said(olga.post(path, fields | {"retention_days": days}))
    assert olga.post(path, fields | {"retention_days": "3650"}).status_code == 302
    assert Tenant.objects.get(pk=house.acme.pk).retention_days == 3650


def test_a_role_is_added_changed_and_deleted_with_its_group(house, olga):
    form = {"tenant": house.acme.pk, "name": "clerk", "permissions": ["manage_users"], "grants": ["view_user"]}
    assert olga.post(f"{ROLES}add/", form).status_code == 302
    clerk = role_named(house.acme.pk, "clerk")
    assert tenant_permissions_of(clerk) | default_grants_of([clerk]) == {"manage_users", "view_user"}

    assert olga.post(f"{ROLES}{clerk.pk}/change/", {"permissions": ["watch_signups"]}).status_code == 302
    assert tenant_permissions_of(clerk) | default_grants_of([clerk]) == {"watch_signups"}
    assert "already exists" in said(olga.post(f"{ROLES}add/", form))

    assert olga.post(f"{ROLES}{clerk.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(pk=clerk.group_id).exists()


def test_the_owners_role_stays_as_it_is(house, olga):
    owner = role_named(house.acme.pk, OWNER)

    assert "manage_grants" in said(olga.get(f"{ROLES}{owner.pk}/change/"))
    assert olga.post(f"{ROLES}{owner.pk}/change/", {"permissions": []}).status_code == 403
    assert olga.post(f"{ROLES}{owner.pk}/delete/", {"post": "yes"}).status_code == 403
