"""A role that is deleted while somebody is created: with it, or beside it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import creation, newcomers
from accounts.models import Role, User, UserGrantToGroup
from accounts.refusals import UnknownRole
from accounts.roles import create_role, delete_role, role_named
from realtime.models import Event
from tests.accounts.api_calls import assert_problem


@pytest.mark.each_database
def test_a_role_that_goes_before_it_is_given_is_unknown(house):
    trainee = role_named(house.acme.pk, "trainee")
    fields = {"tenant": house.acme, "username": "dave", "joined_via": "command"}
    newcomer = newcomers.checked(fields, password=None, first_role=trainee)
    delete_role(trainee)

    with pytest.raises(UnknownRole, match="role is 'trainee'; expected one of owner, admin, viewer"):
        newcomers.insert(house.acme, [newcomer])

    assert not User.objects.filter(username="dave").exists()
    assert not Event.objects.filter(snapshot__username="dave").exists()


@pytest.mark.each_database
def test_a_creation_asked_for_with_a_role_that_goes_meanwhile_is_refused(house, monkeypatch):
    alice, check = house.caller("alice"), newcomers.checked

    def checked_slowly(*args, **kwargs):
        delete_role(role_named(house.acme.pk, "trainee"))
        return check(*args, **kwargs)

    monkeypatch.setattr(newcomers, "checked", checked_slowly)

    assert_problem(alice("POST", "users", {"username": "dave", "role": "trainee"}), 400, "unknown_role")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_role_that_goes_while_it_receives_grants_harms_nobody(house, monkeypatch):
    """On SQLite nothing goes meanwhile: it has one writer at a time."""
    receiver = create_role(house.acme, "auditor", permissions=[], default_grants=["view_user"])
    give, attempts = creation._give_default_grants, []

    def give_to_one_who_goes(by_tenant):
        attempts.append(by_tenant)
        found = list(Role.objects.filter(tenant=house.acme).select_related("group"))
        if len(attempts) == 1:
            with ThreadPoolExecutor(1) as other:
                other.submit(_deleted_elsewhere, receiver).result(30)
            assign_to(found, by_tenant[house.acme.pk])
        else:
            give(by_tenant)

    def assign_to(roles, users):
        for user in users:
            UserGrantToGroup.objects.assign_perm_to_many("view_user", [role.group for role in roles], user)

    monkeypatch.setattr(creation, "_give_default_grants", give_to_one_who_goes)

    dave = house.add("dave")

    assert len(attempts) == 2
    assert "auditor" not in {grant.group.role.name for grant in UserGrantToGroup.objects.filter(content_object=dave)}
    assert Event.objects.filter(subject_id=dave.pk).count() == 1


def _deleted_elsewhere(role):
    try:
        delete_role(role)
    finally:
        connection.close()
