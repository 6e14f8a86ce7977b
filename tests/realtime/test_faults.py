"""A fault stops as little as possible: one class, or one tenant, whose clients then resume; the others hear on."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Role, User, UserGrantToGroup
from accounts.permissions import FIRST_ROLES
from realtime import batch, bell, changes, hub, snapshot
from realtime.batch import Batch
from realtime.models import Event
from realtime.projection import Projected
from realtime.protocol import Frame
from tenants.models import Head, RightsChange, RightsCounter
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user

pytestmark = pytest.mark.usefixtures("database")


def _append_newer(tenant_id: int, user: User) -> None:
    """Append as a newer release beside this one might: an event of a kind that this process does not know."""
    head = Event.objects.filter(tenant_id=tenant_id).count() + 1
    Event.objects.create(tenant_id=tenant_id, position=head, kind="user.newer", subject_id=user.pk, snapshot={})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_head SET position = %s WHERE tenant_id = %s", [head, tenant_id])


async def test_an_event_of_an_unknown_kind_is_its_own_tenants_trouble_alone():
    async with house() as home:
        acme, globex = [await home.write(make_tenant, name) for name in ("acme", "globex")]
        alice = await home.write(make_user, acme, "alice", "owner")
        mallory = await home.write(make_user, globex, "mallory", "owner")
        of_alice, of_mallory = [await home.write(make_session, person) for person in (alice, mallory)]
        at_acme, at_globex = await home.socket(of_alice), await home.socket(of_mallory)
        await home.write(_append_newer, acme.pk, alice)
        home.hub.mark(acme.pk)
        await at_acme.until(lambda s: s.closed)
        await home.write(make_user, globex, "eve")
        await at_globex.until(lambda s: s.heard_of)
        again = await home.socket(of_alice)
        await home.write(make_user, acme, "dave")
        await again.until(lambda s: s.heard_of)

    assert (at_acme.closed, at_globex.closed) == (4001, None)
    assert at_globex.heard_of == ["eve"]
    assert again.heard_of == ["dave"], "who comes back without a cursor begins behind it"


@pytest.mark.each_database
@pytest.mark.parametrize("struck", ["owner", "viewer"])
async def test_what_cannot_be_shown_to_one_class_of_viewers_is_that_classes_trouble_alone(monkeypatch, struck):
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        roles = {"alice": "owner", "bob": "viewer", "anna": "owner", "ben": "viewer"}
        people = [await home.write(make_user, acme, name, role) for name, role in roles.items()]
        sessions = [await home.write(make_session, person) for person in people]
        sockets = [await home.socket(session) for session in sessions]
        await home.write(make_user, acme, "carol")
        for socket in sockets:
            await socket.until(lambda s: s.heard_of)
        with monkeypatch.context() as planted:
            planted.setattr(Projected, "frame_to", _failing_for(struck))
            await home.write(make_user, acme, "dave")
            for socket in sockets:
                await socket.until(lambda s: s.closed or len(s.heard_of) == 2)
        await home.write(make_user, acme, "erin")
        again = [
            await home.socket(session, cursor=socket.of_type("user.created")[0]["id"]) if socket.closed else socket
            for session, socket in zip(sessions, sockets, strict=True)
        ]
        for socket in again:
            await socket.until(lambda s: "erin" in s.heard_of)

    of_the_struck, of_others = (4001, ["carol"]), (None, ["carol", "dave", "erin"])
    assert [(socket.closed, socket.heard_of) for socket in sockets] == [
        of_the_struck if role == struck else of_others for role in roles.values()
    ]
    assert [socket.heard_of[-2:] for socket in again] == [["dave", "erin"]] * 4, "nobody has missed anything"


def _failing_for(role: str) -> Callable[..., Frame | None]:
    """Return what makes frames as ever, but for those of Dave for the holders of a role."""
    makes, allowed = Projected.frame_to, frozenset(FIRST_ROLES[role][1])

    def failing(self: Projected, permissions: frozenset[str]) -> Frame | None:
        if self._event.snapshot["username"] == "dave" and permissions == allowed:
            raise RuntimeError("planted")
        return makes(self, permissions)

    return failing


async def test_a_batch_that_fails_for_one_tenant_serves_the_others(monkeypatch):
    async with house() as home:
        acme, globex = [await home.write(make_tenant, name) for name in ("acme", "globex")]
        people = [await home.write(make_user, tenant, "owner", "owner") for tenant in (acme, globex)]
        at_acme, at_globex = [await home.socket(await home.write(make_session, person)) for person in people]
        deliver = Batch.deliver

        def failing(self: Batch) -> None:
            if self.audience.tenant_id == acme.pk:
                raise RuntimeError("planted")
            deliver(self)

        monkeypatch.setattr(batch.Batch, "deliver", failing)
        await home.write(make_user, acme, "dave")
        await home.write(make_user, globex, "eve")
        await at_acme.until(lambda s: s.closed)
        await at_globex.until(lambda s: s.heard_of)

    assert at_acme.closed == 4001
    assert (at_globex.heard_of, at_globex.closed) == (["eve"], None)


async def test_a_database_that_hangs_closes_its_sockets_in_the_end(monkeypatch, settings):
    monkeypatch.setattr(hub, "BLIND_SECONDS", 0.2)
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.1})
    goes_on = threading.Event()
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        socket = await home.socket(await home.write(make_session, alice))
        read = snapshot.read

        def hanging(plan: snapshot.Plan) -> snapshot.Answer:
            goes_on.wait(60)
            return read(plan)

        monkeypatch.setattr(snapshot, "read", hanging)
        await home.write(make_user, acme, "dave")
        await socket.until(lambda s: s.closed)
        goes_on.set()

    assert (socket.closed, socket.heard_of) == (4001, [])


async def test_however_often_the_log_cannot_be_read_it_is_read_again(monkeypatch):
    """Half an hour of failures: a pause that doubles with each, however short it is kept, grows beyond all numbers."""
    monkeypatch.setattr(hub, "RETRY_SECONDS", (1e-6, 1e-6))
    failures = iter(range(1_200))
    read = snapshot.read

    def failing(plan: snapshot.Plan) -> snapshot.Answer:
        if next(failures, None) is not None:
            raise OperationalError("planted")
        return read(plan)

    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        socket = await home.socket(await home.write(make_session, alice))
        monkeypatch.setattr(snapshot, "read", failing)
        await home.write(make_user, acme, "dave")
        await socket.until(lambda s: s.heard_of)

    assert next(failures, None) is None


async def test_an_outage_that_is_over_closes_nobody_who_comes_after_it(monkeypatch, settings):
    monkeypatch.setattr(hub, "BLIND_SECONDS", 0.2)
    monkeypatch.setattr(hub, "RETRY_SECONDS", (0.01, 0.01))
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.05})
    is_away, goes_on = True, threading.Event()
    read = snapshot.read

    def reading(plan: snapshot.Plan) -> snapshot.Answer:
        if is_away:
            raise OperationalError("planted")
        goes_on.wait(60)  # the first one after an outage takes a while
        return read(plan)

    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        session = await home.write(make_session, alice)
        monkeypatch.setattr(snapshot, "read", reading)
        early = await home.socket(session)
        await early.until(lambda s: s.closed)
        home.hub.leave(early.connection)
        is_away = False
        monkeypatch.setattr(hub, "BLIND_SECONDS", 60)  # for those who come now; the outage was longer
        home.hub._blind_since = home.hub._blind_since and home.hub._blind_since - 60
        late = home.enter(await home.write(identity_of, session))
        sweeps = asyncio.Event()
        until_next_sweep = home.hub._until_next_sweep

        async def swept() -> None:
            await until_next_sweep()
            sweeps.set()

        monkeypatch.setattr(home.hub, "_until_next_sweep", swept)
        for _ in range(2):  # the second one proves that the first was through
            sweeps.clear()
            await asyncio.wait_for(sweeps.wait(), 60)
        goes_on.set()
        await late.until(lambda s: s.closed or s.of_type("synced"))

    assert (early.closed, late.closed) == (4001, None)


@pytest.mark.each_database
@pytest.mark.parametrize("what", ["gone", "too many"])
async def test_when_the_rows_that_name_changes_are_gone_or_too_many_everybody_is_told_and_judged_anew(
    monkeypatch, what
):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    if what == "too many":
        monkeypatch.setattr(changes, "MOST", 1)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        bob = await home.write(make_user, acme, "bob", "viewer")
        at_alice, at_bob = [await home.socket(await home.write(make_session, person)) for person in (alice, bob)]
        at_bob.room.clear()  # what Bob is sent from here on waits
        dave = await home.write(make_user, acme, "dave")
        await home.write(make_user, acme, "erin")
        await home.read_all()

        def take_and_forget() -> None:
            group = Role.objects.get(tenant=acme, name="viewer").group
            with transaction.atomic():
                UserGrantToGroup.objects.filter(content_object=dave, group=group).delete()
                UserGrantToGroup.objects.filter(content_object__username="erin", group=group).delete()
            if what == "gone":
                RightsChange.objects.all().delete()

        await home.write(take_and_forget)
        for tenant_id in list(home.hub.audiences):
            home.hub.mark(tenant_id)
        await at_alice.until(lambda s: s.of_type("rights.changed"))
        at_bob.room.set()
        await at_bob.until(lambda s: s.of_type("rights.changed"))
        await home.write(make_user, acme, "frank")
        await home.read_all()
        await at_bob.until(lambda s: "frank" in s.heard_of)

    assert at_alice.heard_of == ["dave", "erin", "frank"]
    assert "erin" not in at_bob.heard_of, "it waited, and was judged anew"


@pytest.mark.each_database
async def test_a_log_that_went_back_makes_clients_ask_anew(monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        session = await home.write(make_session, alice)
        for name in ("bob", "carol"):
            await home.write(make_user, acme, name)
        socket = await home.socket(session)

        def restore() -> None:
            Event.objects.filter(tenant=acme, position__gt=1).delete()
            Head.objects.filter(tenant=acme).update(position=1)

        await home.write(restore)
        home.hub.mark(acme.pk)
        await socket.until(lambda s: s.closed)
        again = await home.socket(session)
        await home.write(make_user, acme, "dave")
        home.hub.mark(acme.pk)
        await again.until(lambda s: s.heard_of)

    assert socket.closed == 4004
    assert again.heard_of == ["dave"]


@pytest.mark.each_database
async def test_a_rights_counter_that_went_back_is_a_reason_to_read_everybody_anew(monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        bob = await home.write(make_user, acme, "bob", "viewer")
        at_alice, at_bob = [await home.socket(await home.write(make_session, person)) for person in (alice, bob)]

        def restore() -> None:
            bob.groups.clear()
            RightsChange.objects.all().delete()
            RightsCounter.objects.filter(tenant_id=acme.pk).update(value=1)

        await home.write(restore)
        home.hub.mark(acme.pk)
        await at_bob.until(lambda s: s.closed)
        await at_alice.until(lambda s: s.of_type("rights.changed"))

    assert (at_bob.closed, at_alice.closed) == (4403, None)
