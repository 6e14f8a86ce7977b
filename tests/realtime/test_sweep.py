"""A sweep compares, and reads of whoever is not as he was; what no bell tells of it finds."""

import asyncio
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Session
from realtime import bell, hub, snapshot
from realtime.protocol import Close
from tenants.models import Head, RightsCounter, Tenant
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user
from tests.realtime.layers import until

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


def _known(tenant):
    return tenant.pk, Head.objects.get(tenant=tenant).position, RightsCounter.objects.get(tenant_id=tenant.pk).value


def test_whoever_is_as_he_was_is_not_to_be_read_and_whoever_is_not_is():
    tenants = {slug: make_tenant(slug) for slug in ("still", "new", "back", "rights", "suspended", "gone")}
    for tenant in tenants.values():
        make_user(tenant, "alice", "owner")
    known = {slug: _known(tenant) for slug, tenant in tenants.items()}
    make_user(tenants["new"], "dave")
    Head.objects.filter(tenant=tenants["back"]).update(position=0)
    RightsCounter.objects.filter(tenant_id=tenants["rights"].pk).update(value=known["rights"][2] + 1)
    Tenant.objects.filter(pk=tenants["suspended"].pk).update(is_active=False)
    known["suspended"] = _known(tenants["suspended"])
    known["gone"] = (10**9, 0, 1)

    moved = snapshot.moved(list(known.values()))

    assert sorted(moved) == sorted(known[slug][0] for slug in known if slug != "still")


def test_of_a_tenant_that_never_had_an_event_nothing_is_new():
    tenant = make_tenant("empty")
    Head.objects.filter(tenant=tenant).delete()
    counter = RightsCounter.objects.get(tenant_id=tenant.pk).value

    assert snapshot.moved([(tenant.pk, 0, counter)]) == []
    assert snapshot.moved([(tenant.pk, 1, counter)]) == [tenant.pk]


def _suspend(tenant, user, session):
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)


def _deactivate(tenant, user, session):
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def _end_session(tenant, user, session):
    Session.objects.filter(pk=session.pk).update(ended_at=timezone.now())


def _leave_roles(tenant, user, session):
    user.groups.clear()


@pytest.mark.parametrize(
    ("done", "code"),
    [
        (_suspend, Close.TENANT_SUSPENDED),
        (_deactivate, Close.NOT_AUTHORISED),
        (_end_session, Close.SESSION_ENDED),
        (_leave_roles, Close.NOT_AUTHORISED),
    ],
)
async def test_what_no_bell_tells_of_closes_whom_it_is_about_and_nobody_else(monkeypatch, settings, done, code):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.05})
    async with house() as home:
        acme, globex = await home.write(make_tenant, "acme"), await home.write(make_tenant, "globex")
        alice, bob = (
            await home.write(make_user, acme, "alice", "owner"),
            await home.write(make_user, globex, "bob", "owner"),
        )
        session = await home.write(make_session, alice)
        socket, other = await home.socket(session), await home.socket(await home.write(make_session, bob))
        await home.write(make_user, acme, "dave")
        await socket.until(lambda s: s.heard_of)

        await home.write(done, acme, alice, session)
        await socket.until(lambda s: s.closed)
        await home.write(make_user, globex, "erin")
        await other.until(lambda s: s.heard_of)

    assert (socket.closed, socket.heard_of) == (code, ["dave"])
    assert (other.closed, other.heard_of) == (None, ["erin"])


@pytest.mark.parametrize("ends", ["token", "session"])
async def test_whoever_ends_by_the_clock_is_closed_while_nothing_moves(monkeypatch, settings, ends):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.05})
    soon = timedelta(seconds=3)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        session = await home.write(make_session, await home.write(make_user, acme, "alice", "owner"))
        if ends == "session":
            await home.write(Session.objects.filter(pk=session.pk).update, expires_at=timezone.now() + soon)
        identity = await home.write(identity_of, session)
        if ends == "token":
            identity = type(identity)(
                user_id=identity.user_id,
                tenant_id=identity.tenant_id,
                session_id=identity.session_id,
                token_expires_at=timezone.now().timestamp() + soon.total_seconds(),
            )
        socket = home.enter(identity)
        await socket.until(lambda s: s.of_type("synced"))
        await socket.until(lambda s: s.closed)

    assert socket.closed == {"token": Close.TOKEN_EXPIRED, "session": Close.SESSION_ENDED}[ends]


async def test_while_nothing_moves_nothing_is_read_however_often_it_is_compared(monkeypatch, settings):
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.01})
    compared, read = [], []
    moved, reading = snapshot.moved, snapshot.read
    async with house() as home:
        for slug in ("acme", "globex"):
            tenant = await home.write(make_tenant, slug)
            await home.socket(await home.write(make_session, await home.write(make_user, tenant, "alice", "owner")))
        await home.read_all()
        monkeypatch.setattr(snapshot, "moved", lambda known: compared.append(sorted(known)) or moved(known))
        monkeypatch.setattr(snapshot, "read", lambda plan: read.append(plan) or reading(plan))
        before = [_as_known(audience) for audience in home.hub.audiences.values()]
        await until(lambda: len(compared) > 2)
        read.clear()  # what bells before had asked for
        await until(lambda: len(compared) > 8)
        quiet = list(read)
        await home.write(make_user, tenant, "dave")
        await until(lambda: read)

    assert quiet == []
    assert compared[3] == sorted(before)
    assert [planned.tenant_id for planned in read[0].tenants] == [tenant.pk]


@pytest.fixture
def swept_once(monkeypatch, settings):
    """Have a hub sweep once, after its sockets have come, and never again: ``swept_once(hub)``."""
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)

    def sweep(of):
        sweeps = iter(["once"])

        async def until_next_sweep():
            if next(sweeps, None) is None:
                await asyncio.Event().wait()

        monkeypatch.setattr(of, "_until_next_sweep", until_next_sweep)

    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.1})
    return sweep


async def test_a_comparison_that_fails_is_made_again_and_complained_of_once(monkeypatch, swept_once, caplog):
    monkeypatch.setattr(hub, "RETRY_SECONDS", (0.001, 0.001))
    failures, moved = iter(range(5)), snapshot.moved

    def failing(known):
        if next(failures, None) is not None:
            raise OperationalError("planted")
        return moved(known)

    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        socket = await home.socket(await home.write(make_session, await home.write(make_user, acme, "alice", "owner")))
        await home.read_all()
        monkeypatch.setattr(snapshot, "moved", failing)
        swept_once(home.hub)
        await home.write(make_user, acme, "dave")
        await until(lambda: len(caplog.messages) > 1)
        await socket.until(lambda s: s.heard_of)

    assert (socket.heard_of, next(failures, None)) == (["dave"], None)
    assert caplog.messages == [
        "the log cannot be read (planted); nothing is sent until it can",
        "the log can be read again",
    ]


async def test_a_comparison_that_hangs_closes_the_sockets_in_the_end(monkeypatch, settings):
    monkeypatch.setattr(hub, "BLIND_SECONDS", 0.2)
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 0.1})
    goes_on = threading.Event()
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        socket = await home.socket(await home.write(make_session, await home.write(make_user, acme, "alice", "owner")))
        monkeypatch.setattr(snapshot, "moved", lambda known: goes_on.wait(60) and [])
        await socket.until(lambda s: s.closed)
        goes_on.set()

    assert socket.closed == Close.SERVER_ERROR


def _as_known(audience):
    return audience.tenant_id, audience.position, audience.rights
