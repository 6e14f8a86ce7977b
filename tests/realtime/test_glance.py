"""One statement finds just what the transaction of several does, and stands aside where that has more to read."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm, remove_perm
from msgspec.structs import replace

from accounts.models import User
from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT, VIEWER
from realtime import kinds, log, snapshot
from realtime.cursors import Resumption
from realtime.kinds import EventKind, Field
from realtime.snapshot import Answer, Plan, TenantPlan
from tenants.models import Head, RightsCounter, Tenant
from tests.realtime.house import make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

# "accounts.user" is the same model under another name: for the statement, a second one.
ANOTHER = EventKind("user's 100%", "accounts.user", VIEW_USER, (Field("city", VIEW_USER),), "to {city}")


def _planned(tenant: Tenant, *, behind: int) -> TenantPlan:
    head, counter = Head.objects.get(tenant=tenant).position, RightsCounter.objects.get(tenant_id=tenant.pk).value
    return TenantPlan(tenant.pk, rights=counter, position=head - behind, viewers={}, length=2)


def _content(answer: Answer) -> tuple[Any, ...]:
    events = [event for page in answer.pages.values() for event in page]
    held = {
        subject: {
            e.subject_id: (grants.of_groups.get(e.subject_id, {}), grants.of_users.get(e.subject_id, {}))
            for e in events
        }
        for subject, grants in answer.grants.items()
    }
    return answer.tenants, {page: found for page, found in answer.pages.items() if found}, held


@pytest.fixture
def tenants(database) -> list[Tenant]:
    made = [make_tenant(slug) for slug in ("acme", "globex", "initech")]
    for tenant in made:
        for number in range(3):
            make_user(tenant, f"user {number}", VIEWER if number else "owner", email=f"{number}@mail.test")
    first, second, newest = User.objects.filter(tenant=made[0]).order_by("pk")
    assign_perm(VIEW_USER_CONTACT, second, newest)
    assign_perm(VIEW_USER, first, newest)
    return made


@pytest.mark.parametrize("kinds_declared", [1, 2])
def test_it_finds_what_the_transaction_finds(tenants, monkeypatch, kinds_declared):
    if kinds_declared > 1:
        monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
        kinds.declare(ANOTHER)
        user = User.objects.filter(tenant=tenants[0]).first()
        draft = log.EventDraft(ANOTHER.name, user.pk, {"city": "Bern"}, datetime.now(UTC))
        with transaction.atomic():
            log.append(tenant_id=tenants[0].pk, events=[draft])
    gone = TenantPlan(10**9, rights=1, position=0, viewers={})
    plan = Plan((_planned(tenants[0], behind=2), _planned(tenants[1], behind=3), _planned(tenants[2], behind=0), gone))

    glanced = snapshot._glanced(plan)
    read = snapshot._read(plan)

    assert glanced is not None
    assert _content(glanced) == _content(read)
    assert {page[0]: len(events) for page, events in glanced.pages.items()} == {tenants[0].pk: 2, tenants[1].pk: 2}
    assert any(of_users for _, of_users in _content(glanced)[2]["accounts.User"].values())
    assert gone.tenant_id not in glanced.tenants


def test_it_stands_aside_for_whoever_comes_in_or_comes_back(tenants):
    live = _planned(tenants[0], behind=1)
    resumption = Resumption(tenants[0].pk, uuid4(), uuid4())

    assert snapshot._glanced(Plan((live,))) is not None
    assert snapshot._glanced(Plan((live,), joining=frozenset({uuid4()}))) is None
    assert snapshot._glanced(Plan((live,), resumptions=(resumption,))) is None
    assert snapshot._glanced(Plan((live,), pages=frozenset({(tenants[0].pk, 0, 200)}))) is None
    assert snapshot._glanced(Plan((live, replace(live, position=None)))) is None


def test_it_stands_aside_when_rights_have_moved(tenants):
    """Who lost them must be told, or closed, and that takes more questions: of the same moment as the events."""
    acme, globex = (_planned(tenant, behind=1) for tenant in tenants[:2])
    second, newest = User.objects.filter(tenant=tenants[0]).order_by("pk")[1:]
    remove_perm(VIEW_USER_CONTACT, second, newest)

    assert snapshot._glanced(Plan((globex,))) is not None
    assert snapshot._glanced(Plan((globex, acme))) is None
    assert snapshot.read(Plan((globex, acme))).tenants[tenants[0].pk].changes


def test_with_its_queries_logged_or_in_a_transaction_it_finds_the_same(tenants):
    plan = Plan((_planned(tenants[0], behind=2), _planned(tenants[1], behind=3)))
    usual = snapshot._glanced(plan)
    with CaptureQueriesContext(connection) as captured:
        logged = snapshot._glanced(plan)
    with transaction.atomic():
        inside = snapshot._glanced(plan)
        make_user(tenants[0], "only here")
        uncommitted = snapshot._glanced(_behind(plan, by=1))

    assert usual is not None
    assert len(captured) == 1
    assert _content(usual) == _content(logged) == _content(inside)
    ((event,),) = uncommitted.pages.values()
    assert event.snapshot["username"] == "only here"


def _behind(plan: Plan, *, by: int) -> Plan:
    """Return the plan of the first tenant alone, at its head, ``by`` events ago."""
    first = plan.tenants[0]
    head = Head.objects.get(tenant_id=first.tenant_id).position
    return Plan((replace(first, position=head - by),))


def test_a_statement_that_fails_says_why(tenants, monkeypatch):
    monkeypatch.setattr("realtime.glance._statement", lambda kinds, vendor: "SELECT nothing_of_the_kind")

    with pytest.raises(DatabaseError, match="nothing_of_the_kind"):
        snapshot.read(Plan((_planned(tenants[0], behind=2),)))
