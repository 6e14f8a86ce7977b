"""
Three leaks that were found on paper and then seen to happen. Each test runs twice: with the rule that closes the leak
nothing is shown that was never allowed, and without it the leak is seen, so that the test is known to see it.
"""

from contextlib import nullcontext
from typing import Any

import pytest
from django.db import transaction
from guardian.shortcuts import assign_perm

from accounts import grants, roles, users
from accounts.models import Role, User
from accounts.permissions import VIEW_USER_CONTACT, VIEWER, WATCH_SIGNUPS
from realtime import bell, log, rights, snapshot
from realtime.batch import Batch
from tests.realtime.house import House, Seam, house, make_session, make_tenant, make_user, viewer_now

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


@pytest.fixture(params=[True, False], ids=["one moment", "separate statements"])
def in_one_moment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a batch that takes several statements is read in one snapshot, or statement by statement."""
    monkeypatch.setattr(snapshot, "_glanced", lambda plan: None)
    if not request.param:
        monkeypatch.setattr(snapshot, "one_moment", nullcontext)
    return bool(request.param)


@pytest.fixture(params=["one statement", "one moment", "separate statements"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, or as nearly every batch is read: in one statement, which stands aside when rights have moved."""
    if request.param != "one statement":
        monkeypatch.setattr(snapshot, "_glanced", lambda plan: None)
    if request.param == "separate statements":
        monkeypatch.setattr(snapshot, "one_moment", nullcontext)
    return str(request.param)


@pytest.fixture
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests say when the hub reads."""
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)


def _acme_with_bob_and_alice() -> tuple[Any, User, User]:
    acme = make_tenant("acme")
    alice, bob = make_user(acme, "alice", "owner"), make_user(acme, "bob", VIEWER)
    assign_perm(WATCH_SIGNUPS, bob, acme)  # by himself, so that he stays admitted without the role
    return acme, alice, bob


async def _sessions(home: House, *people: User) -> list[Any]:
    return [await home.write(make_session, person) for person in people]


@pytest.mark.usefixtures("no_bells")
async def test_rights_events_and_grants_are_of_one_moment(monkeypatch, in_one_moment):
    seam = Seam(monkeypatch, rights, "grants_on")
    async with house() as home:
        acme, alice, bob = await home.write(_acme_with_bob_and_alice)
        sockets = [await home.socket(session) for session in await _sessions(home, alice, bob)]
        dave = await home.write(make_user, acme, "dave", email="dave@acme.test")

        def leave_then_widen() -> None:
            # Bob leaves the role, and only then is the role shown Dave's e-mail: no moment ever allowed it to Bob.
            roles.set_role(bob, None)
            grants.give_grant(subject=dave, permission=VIEW_USER_CONTACT, to=Role.objects.get(tenant=acme, name=VIEWER))

        seam.slip_in(leave_then_widen)
        await home.read_all()

    assert sockets[0].of_type("user.created")[0]["data"]["email"] == "dave@acme.test", "Alice proves that it was sent"
    (seen,) = sockets[1].of_type("user.created")
    assert ("email" in seen["data"]) is not in_one_moment


@pytest.mark.usefixtures("no_bells")
async def test_a_revocation_and_a_creation_in_one_transaction(monkeypatch, reading):
    seam = Seam(monkeypatch, *((snapshot.glance, "glance") if reading == "one statement" else (log, "pages")))
    async with house() as home:
        acme, alice, bob = await home.write(_acme_with_bob_and_alice)
        sockets = [await home.socket(session) for session in await _sessions(home, alice, bob)]
        await home.write(make_user, acme, "erin")

        def revoke_and_create() -> None:
            with transaction.atomic():
                roles.set_role(bob, None)
                make_user(acme, "dave")

        seam.slip_in(revoke_and_create)
        await home.read_all()
        await home.read_all()

    assert set(sockets[0].heard_of) == {"erin", "dave"}, "Alice proves that both were sent"
    assert ("dave" in sockets[1].heard_of) is (reading == "separate statements")
    # Before the one statement, and so before Erin is shown: then it holds for her too.
    assert ("erin" in sockets[1].heard_of) is (reading != "one statement")


@pytest.fixture(params=[True, False], ids=["register first", "admission's reading"])
def registers_first(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the hub's own snapshot loads a newcomer, or what admission had read is taken for current."""
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    return bool(request.param)


async def test_a_newcomer_is_never_labelled_current(monkeypatch, registers_first):
    async with house() as home:
        acme, alice, bob = await home.write(_acme_with_bob_and_alice)
        of_alice, of_bob = await _sessions(home, alice, bob)
        witness = await home.socket(of_alice)
        standing, viewer = await home.write(viewer_now, of_bob)  # as admission reads it, before the registration
        await home.write(roles.set_role, bob, None)
        if not registers_first:
            enter = Batch._enter

            def trusting(batch: Batch, connection: Any) -> Any:
                if connection.identity.user_id != bob.pk:
                    return enter(batch, connection)
                return batch.audience.enter(connection, standing, viewer)

            monkeypatch.setattr(Batch, "_enter", trusting)
        newcomer = await home.socket(of_bob)
        await home.write(make_user, acme, "dave")
        await home.read_all()

    assert witness.heard_of == ["dave"], "Alice proves that it was sent"
    assert newcomer.heard_of == ([] if registers_first else ["dave"])


@pytest.mark.usefixtures("no_bells")
async def test_a_revocation_holds_for_later_events_with_no_bell_at_all():
    async with house() as home:
        acme, alice, bob = await home.write(_acme_with_bob_and_alice)
        sockets = [await home.socket(session) for session in await _sessions(home, alice, bob)]
        await home.write(make_user, acme, "dave")
        await home.read_all()
        await home.write(roles.set_role, bob, None)
        await home.write(users.create_user, tenant=acme, username="erin", joined_via="api")
        await home.read_all()

    assert sockets[0].heard_of == ["dave", "erin"]
    assert sockets[1].heard_of == ["dave"]
    assert [frame["type"] for frame in sockets[1].frames][-1] == "rights.changed", "this arrives instead of Erin"
