"""A role that is deleted, by whatever path of the ORM, gives nothing any more."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import Role, User
from accounts.permissions import VIEWER, WATCH_SIGNUPS
from tenants.models import RightsCounter
from tests.realtime.house import make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

PATHS = {
    "the role itself": lambda role: role.delete(),
    "a queryset": lambda role: Role.objects.filter(pk=role.pk).delete(),
    "its group": lambda role: role.group.delete(),
}


@pytest.mark.parametrize("path", PATHS)
def test_its_group_goes_too_and_rights_are_bumped(path):
    acme = make_tenant("acme")
    bob = make_user(acme, "bob", VIEWER)
    role = Role.objects.get(tenant=acme, name=VIEWER)
    assert User.objects.get(pk=bob.pk).has_perm(f"tenants.{WATCH_SIGNUPS}", acme)
    before = RightsCounter.objects.get(tenant_id=acme.pk).value

    PATHS[path](role)

    assert not User.objects.get(pk=bob.pk).has_perm(f"tenants.{WATCH_SIGNUPS}", acme)
    assert not Group.objects.filter(pk=role.group_id).exists()
    assert RightsCounter.objects.get(tenant_id=acme.pk).value > before
