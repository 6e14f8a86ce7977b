"""The Django admin's log-in: operators alone, whatever names people of tenants have."""

from django.contrib.auth import authenticate
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.authentication import OperatorBackend, TenantBackend
from accounts.models import User
from accounts.users import create_operator
from tests.accounts.house import PASSWORD


def test_an_operator_is_taken_and_people_of_tenants_are_not(house):
    assert authenticate(username="olga", password=PASSWORD) == house.user("olga")
    for username, password in (("alice", PASSWORD), ("olga", "guess"), ("nobody", PASSWORD), ("\0", PASSWORD)):
        assert authenticate(username=username, password=password) is None


def test_an_operator_may_have_the_name_of_people_of_tenants(house):
    operator = create_operator(username="alice", password="operators-own")

    assert authenticate(username="alice", password="operators-own") == operator
    assert authenticate(username="alice", password=PASSWORD) is None
    assert authenticate(tenant="acme", username="alice", password=PASSWORD) != operator
    assert authenticate(tenant="acme", username="alice", password="operators-own") is None


def test_a_deactivated_operator_is_not_taken_nor_is_his_cookie(house, olga):
    assert OperatorBackend().get_user(olga.pk) == olga

    User.objects.filter(pk=olga.pk).update(is_active=False)

    assert authenticate(username="olga", password=PASSWORD) is None
    assert OperatorBackend().get_user(olga.pk) is None


def test_a_cookie_opens_nothing_to_people_of_tenants(house, alice):
    browser = Client()
    browser.force_login(alice, backend="accounts.authentication.TenantBackend")

    assert browser.get("/admin/").status_code == 302
    assert browser.get("/api/v1/me").status_code == 401
    assert TenantBackend().get_user(alice.pk) is None
    assert OperatorBackend().get_user(alice.pk) is None


def test_an_operators_cookie_opens_the_admin_and_not_the_api(house, olga):
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    browser = Client()

    answer = browser.post("/admin/login/?next=/admin/", {"username": "olga", "password": PASSWORD}, secure=True)

    assert answer.status_code == 302
    assert browser.get("/admin/", secure=True).status_code == 200
    assert browser.get("/api/v1/me", secure=True).status_code == 401


def test_model_permissions_open_nothing(house, alice, olga):
    permission = Permission.objects.get(codename="watch_signups")
    for user in (alice, olga):
        user.user_permissions.add(permission)
        assert OperatorBackend().get_all_permissions(user) == set()
        assert not user.has_perm("tenants.watch_signups")
