"""The two rules above all: nobody gives what he does not hold, and a tenant keeps an active owner."""

import threading

import pytest
from django.db import connection

from accounts import roles
from accounts.grants import give_grant
from accounts.models import User, UserGrantToGroup
from accounts.permissions import OWNER, VIEW_USER
from accounts.refusals import LastOwner, NotHeld, Refused, UnknownRole
from accounts.roles import create_role, role_of
from accounts.users import Newcomer, change_user, create_user, import_users
from realtime.rights import viewer_of
from tests.accounts.house import PASSWORD

pytestmark = pytest.mark.each_database


def test_the_last_owner_is_neither_demoted_nor_deactivated(house):
    alice, caller = house.id("alice"), house.caller("alice")
    for body in ({"is_active": False}, {"role": "viewer"}, {"role": None}, {"is_active": False, "role": "owner"}):
        answer = caller("PATCH", f"users/{alice}", body)

        assert (answer.status, answer.body["code"]) == (409, "last_owner"), body
        assert answer.body["detail"] == ("alice is the last active owner of acme; make somebody else an owner first.")
    assert house.user("alice").is_active
    assert caller("GET", "me").body["role"] == "owner"


def test_with_another_owner_she_may_go(house):
    alice, peggy = house.id("alice"), house.id("peggy")
    caller = house.caller("alice")
    assert caller("PATCH", f"users/{peggy}", {"role": "owner"}).status == 200

    assert caller("PATCH", f"users/{alice}", {"role": "viewer"}).status == 200

    assert house.caller("peggy")("PATCH", f"users/{peggy}", {"role": None}).body["code"] == "last_owner"


def test_an_inactive_owner_is_none(house):
    house.add("grace", role=OWNER)
    change_user(user=house.user("grace"), is_active=False)

    with pytest.raises(LastOwner):
        change_user(user=house.user("alice"), role=None)


def test_an_owner_who_is_hidden_from_the_changer_is_none_either(house):
    """Else whoever tries to go would learn from it that there is somebody whom he may not see."""
    grace = house.add("grace", role=OWNER)
    UserGrantToGroup.objects.filter(content_object=grace, group__role__name=OWNER).delete()
    leave = ("PATCH", f"users/{house.id('alice')}", {"role": "viewer"})

    hidden = house.caller("alice")(*leave)
    give_grant(subject=grace, permission=VIEW_USER, to=house.user("alice"))
    seen = house.caller("alice")(*leave)

    assert (hidden.status, hidden.body["code"]) == (409, "last_owner")
    assert hidden.body["detail"] == "alice is the last active owner of acme; make somebody else an owner first."
    assert seen.status == 200


def test_of_two_owners_who_leave_at_once_one_stays(house):
    house.add("grace", role=OWNER)
    start, refused = threading.Barrier(2), []

    def leave(name):
        start.wait()
        try:
            change_user(user=User.objects.get(username=name), role=None)
        except LastOwner:
            refused.append(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=[name]) for name in ("alice", "grace")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert role_of(house.user(refused[0])).name == OWNER


def test_nobody_gives_a_role_beyond_his_own(house):
    peggy, bob = house.caller("peggy"), house.id("bob")
    for method, path, body in (
        ("POST", "users", {"username": "erin", "role": "owner"}),
        ("PATCH", f"users/{bob}", {"role": "owner"}),
        ("PATCH", f"users/{house.id('peggy')}", {"role": "owner"}),
    ):
        answer = peggy(method, path, body)

        assert (answer.status, answer.body["code"]) == (403, "not_held"), path
        assert "manage_grants" in answer.body["detail"]
    assert not User.objects.filter(username="erin").exists()
    assert peggy("PATCH", f"users/{bob}", {"role": "admin"}).status == 200
    assert peggy("PATCH", f"users/{bob}", {"role": "trainee"}).status == 200


def test_nobody_changes_who_has_a_role_beyond_his_own(house):
    house.add("grace", role=OWNER)

    for body in ({"is_active": False}, {"role": "viewer"}, {"role": None}):
        assert house.caller("peggy")("PATCH", f"users/{house.id('grace')}", body).body["code"] == "not_held"


def test_default_grants_count_as_given(house):
    """Who may not see contacts makes nobody who will see the contacts of all that come."""
    create_role(house.acme, "clerk", permissions=["manage_users"], default_grants=["view_user"])
    create_role(house.acme, "archivist", permissions=[], default_grants=["view_user_contact"])
    house.add("victor", role="clerk", password=PASSWORD)

    answer = house.caller("victor")("POST", "users", {"username": "erin", "role": "archivist"})

    assert (answer.status, answer.body["code"]) == (403, "not_held")
    assert "view_user_contact" in answer.body["detail"]


def test_the_services_refuse_the_same(house, standing_of):
    peggy = viewer_of(standing_of("peggy"))
    with pytest.raises(NotHeld):
        create_user(tenant=house.acme, username="erin", joined_via="api", role=OWNER, created_by=peggy)
    with pytest.raises(NotHeld):
        import_users(tenant=house.acme, people=[Newcomer("erin", role=OWNER)], imported_by=peggy)
    with pytest.raises(UnknownRole):
        change_user(user=house.user("bob"), role="king")
    with pytest.raises(ValueError, match="another tenant"):
        roles.set_role(house.user("mallory"), roles.role_named(house.acme.pk, OWNER))


def test_the_owners_role_is_not_deleted_and_others_are(house):
    with pytest.raises(Refused):
        roles.delete_role(roles.role_named(house.acme.pk, OWNER))

    roles.delete_role(roles.role_named(house.acme.pk, "viewer"))

    assert house.caller("bob")("GET", "me").body["permissions"] == []
    assert house.caller("alice")("GET", "users").status == 200
