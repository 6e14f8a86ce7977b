"""What REST shows is of one moment: rows, the caller's roles and the grants."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts import grants, roles
from accounts.models import Role
from accounts.permissions import VIEW_USER_CONTACT, VIEWER, WATCH_SIGNUPS
from accounts.tokens import pair_of
from realtime import rights, snapshot
from tests.realtime.house import Seam, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


@pytest.mark.parametrize("in_one_moment", [True, False], ids=["one moment", "separate statements"])
@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/users/{id}"])
def test_who_leaves_a_role_before_it_is_widened_sees_nothing_of_that(monkeypatch, in_one_moment, path):
    acme = make_tenant("acme")
    bob = make_user(acme, "bob", VIEWER)
    assign_perm(WATCH_SIGNUPS, bob, acme)
    dave = make_user(acme, "dave", email="dave@acme.test")
    session = make_session(bob)
    session.refreshed_at = timezone.now() - timedelta(seconds=1)
    if not in_one_moment:
        monkeypatch.setattr(snapshot, "one_moment", nullcontext)
    seam = Seam(monkeypatch, rights, "permissions_on")

    def leave_then_widen() -> None:
        roles.set_role(bob, None)
        grants.give_grant(subject=dave, permission=VIEW_USER_CONTACT, to=Role.objects.get(tenant=acme, name=VIEWER))

    seam.slip_in(leave_then_widen)
    headers = {"Authorization": f"Bearer {pair_of(session).access}"}
    answer = Client().get(path.format(id=dave.pk), headers=headers)

    assert answer.status_code == 200
    assert ("dave@acme.test" in answer.content.decode()) is not in_one_moment
