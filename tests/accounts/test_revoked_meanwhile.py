"""What one may do is judged again when it is done: rights that end while a password is hashed do not make anybody."""

import pytest

from accounts import newcomers, roles, sessions
from accounts.endings import live_sessions
from accounts.grants import give_grant, take_grant
from accounts.hashing import BoundedArgon2
from accounts.log_check import violations
from accounts.models import User
from accounts.permissions import MANAGE_GRANTS, MANAGE_USERS, VIEW_USER, VIEW_USER_CONTACT, WATCH_SIGNUPS
from accounts.provisioning import change_tenant
from accounts.refusals import Hidden, NotAuthorised, NotHeld, SessionEnded, TenantSuspended
from accounts.roles import create_role, role_named
from accounts.users import Newcomer, change_user, create_user, end_sessions, import_users
from realtime import snapshot
from realtime.models import Event
from realtime.rights import viewer_of
from tenants.models import SignupPolicy
from tests.accounts.api_calls import assert_problem
from tests.accounts.house import PASSWORD, Caller
from tests.realtime.house import Seam

pytestmark = pytest.mark.each_database

ERIN = {"username": "erin", "password": "correct-horse", "role": "admin"}


def demote(house):
    roles.set_role(house.user("peggy"), None)


def narrow(house):
    clerk = create_role(house.acme, "clerk", permissions=[MANAGE_USERS], default_grants=[])
    roles.set_role(house.user("peggy"), clerk)


def deactivate(house):
    change_user(user=house.user("peggy"), is_active=False)


def log_out(house):
    sessions.end_all_sessions(house.user("peggy"), reason=sessions.LOGGED_OUT)


def suspend(house):
    change_tenant(house.acme, is_active=False)


def close(house):
    change_tenant(house.acme, signup_policy=SignupPolicy.CLOSED)


REVOCATIONS = [
    (demote, 403, "not_authorised", NotAuthorised),
    (narrow, 403, "not_held", NotHeld),
    (deactivate, 403, "not_authorised", NotAuthorised),
    (log_out, 401, "session_ended", SessionEnded),
    (suspend, 503, "tenant_suspended", TenantSuspended),
]
each_revocation = pytest.mark.parametrize(
    ("revoke", "status", "code"), [row[:3] for row in REVOCATIONS], ids=[row[0].__name__ for row in REVOCATIONS]
)


@pytest.fixture
def hashing(monkeypatch):
    """Where a password is about to be hashed."""
    return Seam(monkeypatch, BoundedArgon2, "encode")


@pytest.fixture
def peggy(standing_of):
    """Peggy as the judge knows her when she begins."""
    return viewer_of(standing_of("peggy"))


def assert_nobody_came():
    assert not User.objects.filter(username="erin").exists()
    assert not Event.objects.filter(snapshot__username="erin").exists()
    assert violations() == []


@each_revocation
def test_who_loses_the_right_while_the_password_is_hashed_makes_nobody(house, hashing, revoke, status, code):
    peggy = house.caller("peggy")
    assert peggy("POST", "users", ERIN | {"username": "dave"}).status == 201, "until then she may"

    hashing.slip_in(lambda: revoke(house))
    answer = peggy("POST", "users", ERIN, **{"Idempotency-Key": "k"})

    problem = assert_problem(answer, status, code)
    if revoke is demote:
        assert problem["detail"] == "This needs manage_users on your tenant; ask an owner of it."
    assert_nobody_came()


@pytest.mark.parametrize(
    ("shut", "status", "code"), [(close, 403, "signup_closed"), (suspend, 503, "tenant_suspended")]
)
def test_doors_that_close_while_the_password_is_hashed_are_closed(house, hashing, shut, status, code):
    body = {"username": "erin", "password": "correct-horse"}
    assert Caller()("POST", "tenants/acme/signup", body | {"username": "dave"}).status == 201

    hashing.slip_in(lambda: shut(house))
    answer = Caller()("POST", "tenants/acme/signup", body, **{"Idempotency-Key": "k"})

    assert_problem(answer, status, code)
    assert_nobody_came()


@pytest.mark.parametrize(("revoke", "refusal"), [(row[0], row[3]) for row in REVOCATIONS])
def test_an_import_ends_with_the_right_to_it(house, monkeypatch, peggy, revoke, refusal):
    chunks = Seam(monkeypatch, newcomers, "insert")
    assert import_users(tenant=house.acme, people=[Newcomer("dave", role="admin")], imported_by=peggy) == 1

    chunks.slip_in(lambda: revoke(house))
    with pytest.raises(refusal):
        import_users(tenant=house.acme, people=[Newcomer("erin", role="admin")], imported_by=peggy)

    assert_nobody_came()


def test_who_is_of_another_tenant_by_now_makes_nobody(house, standing_of):
    """As he would be whose row was moved by hand while he waited; there he may create users."""
    mallory = viewer_of(standing_of("mallory"))
    create_user(tenant=house.globex, username="dave", joined_via="api", created_by=mallory)

    with pytest.raises(NotAuthorised, match="not of the tenant in which you asked to create users any more"):
        create_user(tenant=house.acme, username="erin", joined_via="api", created_by=mallory)

    assert_nobody_came()


class Acts:
    """What staff do to Carol, and what has become of her."""

    def __init__(self, house) -> None:
        self._carol = house.user("carol")
        self._viewers = role_named(house.acme.pk, "viewer")
        self._trainees = role_named(house.acme.pk, "trainee")
        self._given = give_grant(subject=self._carol, permission=VIEW_USER, to=self._trainees)
        house.token("carol")

    def change(self, by):
        change_user(user=self._carol, changed_by=by, role="viewer")

    def end(self, by):
        end_sessions(user=self._carol, ended_by=by)

    def give(self, by):
        give_grant(subject=self._carol, permission="view_user_contact", to=self._trainees, given_by=by)

    def take(self, by):
        take_grant(self._given, taken_by=by)

    def outcome(self):
        return (
            roles.role_of(self._carol),
            live_sessions(self._carol).count(),
            sorted(self._trainees.group.usergranttogroup_set.values_list("permission__codename", flat=True)),
        )


@pytest.mark.parametrize("act", ["change", "end", "give", "take"])
@pytest.mark.parametrize(("revoke", "refusal"), [(row[0], row[3]) for row in REVOCATIONS if row[0] is not narrow])
def test_whatever_waits_for_a_lock_is_judged_when_it_has_it(house, standing_of, act, revoke, refusal):
    roles.set_role(house.user("peggy"), role_named(house.acme.pk, "owner"))
    alice, peggy, acts = viewer_of(standing_of("alice")), viewer_of(standing_of("peggy")), Acts(house)
    before = acts.outcome()

    revoke(house)
    with pytest.raises(refusal):
        getattr(acts, act)(peggy)
    assert acts.outcome() == before

    if revoke is not suspend:
        getattr(acts, act)(alice)
        assert acts.outcome() != before, "Alice may"


@pytest.mark.parametrize("act", ["change", "end", "give", "take", "give to"])
def test_whom_one_sees_no_more_when_the_lock_is_had_one_does_nothing_to(house, standing_of, act):
    rights = [MANAGE_USERS, MANAGE_GRANTS, WATCH_SIGNUPS]
    deputy = create_role(house.acme, "deputy", permissions=rights, default_grants=[VIEW_USER])
    roles.set_role(house.user("peggy"), deputy)
    carol, acts = house.user("carol"), Acts(house)
    sight = give_grant(subject=carol, permission=VIEW_USER, to=deputy)
    for subject in (carol, house.user("trent")):
        give_grant(subject=subject, permission=VIEW_USER_CONTACT, to=deputy)
    give_grant(subject=house.user("trent"), permission=VIEW_USER, to=deputy)
    peggy, before = viewer_of(standing_of("peggy")), acts.outcome()

    def carry_out():
        if act == "give to":
            give_grant(subject=house.user("trent"), permission=VIEW_USER_CONTACT, to=carol, given_by=peggy)
        else:
            getattr(acts, act)(peggy)

    take_grant(sight)
    with pytest.raises(Hidden, match=r"^There is nothing here that you may see\.$"):
        carry_out()
    assert acts.outcome() == before

    give_grant(subject=carol, permission=VIEW_USER, to=deputy)
    carry_out()


def test_who_sees_by_a_grant_alone_may_take_it_away(house, standing_of):
    deputy = create_role(house.acme, "deputy", permissions=[MANAGE_GRANTS], default_grants=[])
    roles.set_role(house.user("peggy"), deputy)
    carol, peggy = house.user("carol"), house.user("peggy")
    for receiver in (deputy, peggy):
        sight = give_grant(subject=carol, permission=VIEW_USER, to=receiver)

        take_grant(sight, taken_by=viewer_of(standing_of("peggy")))

        assert not type(sight).objects.filter(pk=sight.pk).exists()


def test_a_session_that_ends_while_the_new_password_is_hashed_changes_none(house, hashing):
    peggy, body = house.caller("peggy"), {"current": PASSWORD, "new": "another-horse"}

    hashing.slip_in(lambda: log_out(house))
    assert_problem(peggy("POST", "auth/password", body), 401, "session_ended")

    assert house.user("peggy").check_password(PASSWORD)
    again = Caller(house.token("peggy"))
    assert again("POST", "auth/password", body).status == 204


@pytest.mark.parametrize("path", ["users", "users/{}", "users/{}/sessions"])
@pytest.mark.parametrize(
    ("revoke", "status", "code"), [row[:3] for row in REVOCATIONS[2:]], ids=[row[0].__name__ for row in REVOCATIONS[2:]]
)
def test_who_is_shut_out_before_the_moment_that_is_read_is_shown_nothing(
    house, monkeypatch, path, revoke, status, code
):
    peggy, path = house.caller("peggy"), path.format(house.id("bob"))
    moment = Seam(monkeypatch, snapshot, "one_moment")
    assert peggy("GET", path).status == 200

    moment.slip_in(lambda: revoke(house))

    assert_problem(peggy("GET", path), status, code)


def test_who_shuts_himself_out_is_told_that_it_is_done(house):
    house.add("grace", role="owner")
    alice = house.caller("alice")

    answer = alice("PATCH", f"users/{house.id('alice')}", {"is_active": False})

    assert answer.status == 200
    assert set(answer.body) == {"redacted"}, "he sees nobody any more, himself included"
    assert not house.user("alice").is_active
    assert_problem(alice("GET", "me"), 403, "not_authorised")
