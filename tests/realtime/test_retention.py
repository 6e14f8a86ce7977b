"""Retention: what is too old leaves the log from its beginning on, and nothing else does, whoever is at it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import provisioning
from accounts.models import User
from accounts.refusals import FieldsRefused
from accounts.users import Newcomer, import_users
from realtime import chores, retention
from realtime.housekeeping import Housekeeper
from realtime.models import Event
from tenants.models import Head, Tenant
from tests.aging import age
from tests.realtime.house import make_tenant, make_user

each_database = pytest.mark.each_database
postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BEYOND = 7 * DAY + HOUR + MINUTE


def tenant_of(people, slug="acme"):
    """Make a tenant with so many events."""
    tenant = make_tenant(slug)
    import_users(tenant=tenant, people=[Newcomer(f"user {number}") for number in range(people)])
    return tenant


def positions(tenant):
    return list(Event.objects.filter(tenant=tenant).order_by("position").values_list("position", flat=True))


def pruned():
    """Prune all tenants; returns what each step has removed."""
    return list(retention.prune_all())


def elsewhere(call):
    """Run something on another connection; returns its result."""

    def run():
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result(timeout=60)


@each_database
def test_what_is_too_old_goes_and_the_rest_stays_without_holes(database, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 4)
    acme = tenant_of(20)
    age(acme.pk, range(1, 11), BEYOND)
    age(acme.pk, range(11, 16), 3 * DAY)

    assert pruned() == [4, 4, 2]

    assert positions(acme) == list(range(11, 21))
    assert Head.objects.get(tenant=acme).position == 20, "the next position is what it would have been"
    make_user(acme, "dave")
    assert positions(acme)[-1] == 21
    assert pruned() == []


@each_database
def test_a_log_may_become_empty_and_goes_on_where_it_was(database):
    acme = tenant_of(3)
    age(acme.pk, range(1, 4), BEYOND)

    assert pruned() == [3]
    make_user(acme, "dave")

    assert positions(acme) == [4]


@each_database
@pytest.mark.parametrize(("age_of_them", "kept"), [(7 * DAY + HOUR - MINUTE, True), (7 * DAY + HOUR + MINUTE, False)])
def test_rows_stay_an_hour_longer_than_a_cursor_is_good(database, age_of_them, kept):
    acme = tenant_of(2)
    age(acme.pk, range(1, 3), age_of_them)

    pruned()

    assert bool(positions(acme)) is kept


@each_database
def test_each_tenant_has_its_own_retention(database):
    tenants = {days: tenant_of(2, f"keeps-{days}") for days in (1, 7, 90)}
    for days, tenant in tenants.items():
        Tenant.objects.filter(pk=tenant.pk).update(retention_days=days)
        age(tenant.pk, range(1, 3), 8 * DAY)

    assert sum(pruned()) == 4

    assert {days: positions(tenant) for days, tenant in tenants.items()} == {1: [], 7: [], 90: [1, 2]}


@each_database
def test_nothing_younger_than_a_day_can_ever_go(database):
    acme = tenant_of(1)

    with pytest.raises(IntegrityError):
        Tenant.objects.filter(pk=acme.pk).update(retention_days=0)
    with pytest.raises(FieldsRefused):
        provisioning.change_tenant(acme, retention_days=0)
    Tenant.objects.filter(pk=acme.pk).update(retention_days=1)
    age(acme.pk, range(1, 2), DAY + HOUR - MINUTE)
    assert pruned() == []


@each_database
def test_a_young_event_keeps_those_behind_it_so_that_there_is_no_hole(database):
    acme = tenant_of(6)
    age(acme.pk, range(1, 3), BEYOND)
    age(acme.pk, range(4, 7), BEYOND)  # by a server whose clock was wrong

    assert pruned() == [2]

    assert positions(acme) == [3, 4, 5, 6]


@each_database
def test_a_dry_run_counts_what_would_go(database):
    acme = tenant_of(6)
    age(acme.pk, range(1, 5), BEYOND)
    ((tenant, before),) = retention.bounds(Tenant.objects.filter(pk=acme.pk))

    assert (tenant, retention.prunable(acme.pk, before)) == (acme, 4)
    assert len(positions(acme)) == 6
    assert list(retention.prune(acme.pk, before)) == [4]
    assert retention.prunable(acme.pk, before) == 0


@each_database
def test_two_at_once_remove_each_event_once(database, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 7)
    acme = tenant_of(200)
    age(acme.pk, range(1, 191), BEYOND)
    meet = threading.Barrier(3)

    def prune(_):
        meet.wait()
        try:
            return sum(pruned())
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=3) as threads:
        removed = list(threads.map(prune, range(3)))

    # One that meets another's row leaves the rest to that other.
    assert (sum(removed), positions(acme)) == (190, list(range(191, 201)))


@postgresql
def test_an_append_under_way_holds_it_up_no_more_than_it_the_append(database):
    acme = tenant_of(3)
    age(acme.pk, range(1, 4), BEYOND)

    with transaction.atomic():
        make_user(acme, "dave")  # holds the head until the commit
        assert elsewhere(pruned) == [3]

    assert positions(acme) == [4]


@postgresql
def test_an_erasure_under_way_is_not_waited_for_and_leaves_no_hole(database):
    acme = tenant_of(5)
    age(acme.pk, range(1, 6), BEYOND)
    third = Event.objects.get(tenant=acme, position=3).subject_id

    with transaction.atomic():
        User.objects.get(pk=third).delete()
        assert elsewhere(pruned) == [2]
        assert elsewhere(lambda: positions(acme)) == [3, 4, 5]

    assert pruned() == [3]


@postgresql
def test_a_server_whose_clock_is_a_month_ahead_prunes_by_the_databases(database, monkeypatch):
    acme = tenant_of(3)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + 30 * DAY)

    assert pruned() == []
    assert positions(acme) == [1, 2, 3]


def test_the_housekeeping_does_it(database):
    acme = tenant_of(3)
    age(acme.pk, range(1, 3), BEYOND)
    assert "events" in [chore.name for chore in chores.registered()]

    Housekeeper(every_seconds=3600).do_what_is_due()

    assert positions(acme) == [3]
