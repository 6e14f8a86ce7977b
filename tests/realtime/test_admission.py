"""May the holder of a token open a socket here? A row for everybody who may not, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts import sessions, users
from accounts.models import Session
from accounts.people import AccountsPeople
from accounts.permissions import WATCH_SIGNUPS
from accounts.provisioning import change_tenant
from accounts.tokens import AccessTokens
from realtime import ports
from realtime.admission import Refused, admit, claims_of
from realtime.protocol import Close
from tests.realtime.asgi import access_of, expired_access_of, refresh_of, session_of
from tests.realtime.house import make_session, make_tenant


class Bob:
    """A viewer of acme with a session, and what may happen to them."""

    def __init__(self):
        self.acme = make_tenant("acme")
        session_of(self.acme, "alice", "owner")
        self.session = session_of(self.acme, "bob", "viewer")
        self.user = self.session.user


@pytest.fixture
def bob(database):
    return Bob()


async def answer(token):
    try:
        return await admit(claims_of(token))
    except Refused as refused:
        return refused.close


@pytest.mark.each_database
async def test_a_viewer_is_admitted_as_whom_his_token_names(database):
    bob = await sync_to_async(Bob)()
    token = await sync_to_async(access_of)(bob.session)

    identity = await admit(claims_of(token))

    assert (identity.user_id, identity.session_id, identity.tenant_id) == (bob.user.pk, bob.session.pk, bob.acme.pk)
    assert identity.token_expires_at == AccessTokens().read(token).expires_at


def deactivated(bob):
    users.change_user(user=bob.user, is_active=False)


def without_role(bob):
    users.change_user(user=bob.user, role=None)


def logged_out(bob):
    sessions.end_session(bob.user, bob.session.pk, reason="logged_out")


def expired_session(bob):
    Session.objects.filter(pk=bob.session.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def erased_session(bob):
    Session.objects.filter(pk=bob.session.pk).delete()


def erased(bob):
    bob.user.delete()


def suspended(bob):
    change_tenant(bob.acme, is_active=False)


WHAT_HAPPENED = [
    (without_role, Close.NOT_AUTHORISED),
    (deactivated, Close.NOT_AUTHORISED),
    (logged_out, Close.SESSION_ENDED),
    (expired_session, Close.SESSION_ENDED),
    (erased_session, Close.SESSION_ENDED),
    (erased, Close.SESSION_ENDED),
    (suspended, Close.TENANT_SUSPENDED),
]


@pytest.mark.parametrize(("happens", "close"), WHAT_HAPPENED, ids=[happens.__name__ for happens, _ in WHAT_HAPPENED])
async def test_a_token_opens_nothing_any_more_once_something_has_happened(bob, happens, close):
    token = await sync_to_async(access_of)(bob.session)
    assert await answer(token) is not close

    await sync_to_async(happens)(bob)

    assert await answer(token) is close


async def test_what_is_no_access_token_opens_nothing(bob):
    good = await sync_to_async(access_of)(bob.session)
    head, body, signature = good.split(".")
    wrong = [
        "",
        "nonsense",
        "a.b.c",
        good[:-2],
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        f"eyJhbGciOiJub25lIn0.{body}.",
        f" {good}",
        f"{good}\x00",
        "\N{GRINNING FACE}",
        good * 100,
        await sync_to_async(refresh_of)(bob.session),
    ]

    assert [await answer(token) for token in wrong] == [Close.UNAUTHENTICATED] * len(wrong)


async def test_an_expired_token_is_to_be_renewed(bob):
    assert await answer(await sync_to_async(expired_access_of)(bob.session)) is Close.TOKEN_EXPIRED


async def test_an_operator_has_no_tenant_to_watch(bob):
    olga = await sync_to_async(users.create_operator)(username="olga", password="usher-demo-1")
    session = await sync_to_async(make_session)(olga)

    assert await answer(await sync_to_async(access_of)(session)) is Close.NOT_AUTHORISED


async def test_mallory_is_not_admitted_by_what_she_was_granted_elsewhere(bob):
    globex = await sync_to_async(make_tenant)("globex")
    session = await sync_to_async(session_of)(globex, "mallory", None)
    await sync_to_async(assign_perm)(WATCH_SIGNUPS, session.user, bob.acme)

    assert await answer(await sync_to_async(access_of)(session)) is Close.NOT_AUTHORISED


async def test_a_session_that_is_not_the_users_own(bob, monkeypatch):
    """No token of ours says so; if one does, it is not ours."""
    other = await sync_to_async(session_of)(bob.acme, "anna", "owner")
    token = await sync_to_async(access_of)(bob.session)
    claims = replace(AccessTokens().read(token), session_id=other.pk)
    monkeypatch.setattr(AccessTokens, "read", lambda self, token: claims)

    assert await answer(token) is Close.UNAUTHENTICATED


async def test_a_database_that_cannot_be_asked_admits_nobody(bob):
    token = await sync_to_async(access_of)(bob.session)
    await sync_to_async(_break)()

    with pytest.raises(Refused) as refused:
        await admit(claims_of(token))

    assert refused.value.close is Close.SERVER_ERROR
    assert refused.value.close.problem == (503, "unavailable")


async def test_a_mistake_of_ours_admits_nobody_and_is_told_to_the_log(bob, monkeypatch, caplog):
    def mistaken(self, session_ids):
        raise KeyError("planted")

    token = await sync_to_async(access_of)(bob.session)
    monkeypatch.setattr(AccountsPeople, "standings", mistaken)

    assert await answer(token) is Close.SERVER_ERROR
    assert [(record.message, record.exc_info[0]) for record in caplog.records] == [
        ("an admission could not be judged", KeyError)
    ]


def test_before_the_apps_are_ready_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(ports, "_tokens", None)
    monkeypatch.setattr(ports, "_people", None)

    with pytest.raises(RuntimeError, match=r"nobody checks tokens: .* must call realtime.ports.fill\(\)"):
        ports.tokens()
    with pytest.raises(RuntimeError, match="nobody knows the people"):
        ports.people()


def _break():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_session RENAME TO elsewhere")
