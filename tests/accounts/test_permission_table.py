"""Who may call what: every row with and without the permission, by somebody who sees the row at hand either way."""

import pytest

from accounts.grants import give_grant
from accounts.permissions import ON_TENANTS, VIEW_USER
from accounts.roles import create_role
from tests.accounts.house import PASSWORD, ROLES, Caller
from tests.realtime.house import make_session

pytestmark = pytest.mark.each_database

# method, path, body, permission, status for who holds it; everybody else gets 403.
OF_TENANT = [
    ("POST", "users", {"username": "erin"}, "manage_users", 201),
    ("PATCH", "users/{dave}", {"is_active": False}, "manage_users", 200),
    ("PATCH", "users/{dave}", {"role": "guest"}, "manage_users", 200),
    ("GET", "users/{dave}/sessions", None, "manage_users", 200),
    ("DELETE", "users/{dave}/sessions/{session}", None, "manage_users", 204),
    ("DELETE", "users/{dave}/sessions", None, "manage_users", 204),
    ("GET", "users/{dave}/grants", None, "manage_grants", 200),
    ("POST", "users/{dave}/grants", {"permission": "view_user", "role": "guest"}, "manage_grants", 201),
    ("DELETE", "users/{dave}/grants/{grant}", None, "manage_grants", 204),
]
# Any permission on the tenant will do.
OF_STAFF = ("GET", "users", None)
# Open to whoever sees the row, or is anybody.
OPEN = [("GET", "users/{dave}", None), ("GET", "me", None)]
OF_PLATFORM = [
    ("POST", "platform/tenants", {"slug": "initech", "name": "Initech"}, 201),
    ("PATCH", "platform/tenants/initech", {"is_active": False}, 200),
]


class Doors:
    """Calls a path as somebody new of acme who holds just these permissions, and sees Dave but nothing else of him."""

    def __init__(self, house):
        self.house, self.dave, self.number = house, house.add("dave"), 0
        create_role(house.acme, "guest", permissions=[], default_grants=[])

    def __call__(self, permissions, method, path, body):
        self.number += 1
        name = f"victor{self.number}"
        create_role(self.house.acme, name, permissions=permissions, default_grants=[])
        victor = self.house.add(name, role=name, password=PASSWORD)
        grant = give_grant(subject=self.dave, permission=VIEW_USER, to=victor)
        session = make_session(self.dave)
        ids = {"dave": self.dave.pk, "grant": grant.pk, "session": session.pk}
        return self.house.caller(name)(method, path.format(**ids), body)


@pytest.fixture
def doors(house):
    return Doors(house)


def test_a_holder_may_and_nobody_else(doors):
    for method, path, body, permission, status in OF_TENANT:
        others = [other for other in ON_TENANTS if other != permission]

        refused = doors(others, method, path, body)
        done = doors([permission], method, path, body)

        assert (refused.status, refused.body["code"]) == (403, "not_authorised"), (method, path)
        assert permission in refused.body["detail"], (method, path)
        assert done.status == status, (method, path, done.body)


def test_the_list_is_open_to_holders_of_any_permission(doors):
    for permission in ON_TENANTS:
        assert doors([permission], *OF_STAFF).status == 200, permission
    assert doors([], *OF_STAFF).status == 403


def test_members_may_look_at_whom_they_see(doors):
    for row in OPEN:
        assert doors([], *row).status == 200, row


def test_operators_keep_tenants_and_nobody_else_does(house):
    for method, path, body, status in OF_PLATFORM:
        for name in ("alice", "carol", "mallory"):
            assert house.caller(name)(method, path, body).status == 403, (name, path)
        assert house.caller("olga")(method, path, body).status == status, path


def test_operators_look_into_no_tenant_and_nobody_calls_without_a_token(house):
    dave = house.add("dave").pk
    for method, path, body in [OF_STAFF, OPEN[0], *(row[:3] for row in OF_TENANT)]:
        row = (method, path.format(dave=dave, grant=dave, session=dave), body)

        assert house.caller("olga")(*row).status == 403, row
        assert Caller()(*row).status == 401, row


def test_the_first_roles_hold_what_they_are_for(house):
    assert {name: house.caller(name)("GET", "me").body["permissions"] for name in ROLES} == {
        "alice": ["manage_grants", "manage_users", "watch_signups"],
        "peggy": ["manage_users", "watch_signups"],
        "bob": ["watch_signups"],
        "trent": ["watch_signups"],
        "carol": [],
    }
