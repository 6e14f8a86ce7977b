"""Sessions that have long been over are removed; nobody notices."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import chores, sessions
from accounts.chores import forget_old_sessions
from accounts.models import Session
from realtime import chores as registry
from realtime.housekeeping import Housekeeper
from tests.accounts.house import Caller
from tests.accounts.signing_in import log_in, session_of

each_database = pytest.mark.each_database


def aged(user, **days_ago):
    """Return the id of a session that ended or expires so many days ago (negative: from now)."""
    pair = log_in(user)
    times = {field: timezone.now() - timedelta(days=days) for field, days in days_ago.items()}
    Session.objects.filter(pk=session_of(pair).pk).update(**times)
    return session_of(pair).pk


@each_database
def test_those_that_ended_or_expired_a_month_ago_go_and_all_others_stay(house, alice, bob, monkeypatch):
    monkeypatch.setattr(chores, "STEP", 2)
    gone = [
        aged(alice, ended_at=30.1, expires_at=-1),
        aged(alice, expires_at=30.1),
        aged(bob, ended_at=200, expires_at=190),
    ]
    stay = [
        session_of(log_in(alice)).pk,
        aged(alice, expires_at=29.9),
        aged(bob, ended_at=29.9, expires_at=-1),
        aged(bob, expires_at=0),
    ]

    assert list(forget_old_sessions()) == [2, 1]

    assert set(Session.objects.values_list("pk", flat=True)) == set(stay)
    assert set(gone).isdisjoint(stay)


@each_database
def test_nobodys_rights_move(house, alice):
    aged(alice, ended_at=31)
    aged(alice, expires_at=31)
    log_in(alice)
    before = house.rights()

    assert sum(forget_old_sessions()) == 2

    assert house.rights() == before


@each_database
def test_a_late_token_of_one_is_answered_as_before(house, alice, monkeypatch):
    pair = log_in(alice)
    sessions.end_session(alice, session_of(pair).pk, reason=sessions.LOGGED_OUT)
    show = Caller(pair.access)

    def answers():
        said = [show("GET", "me"), Caller()("POST", "auth/token/refresh", {"refresh": pair.refresh})]
        return [(answer.status, {**answer.body, "request_id": ""}) for answer in said]

    before = answers()
    monkeypatch.setattr(chores, "SESSIONS_KEPT", timedelta())
    assert sum(forget_old_sessions()) == 1

    assert answers() == before
    assert [(status, body["code"]) for status, body in before] == [(401, "session_ended")] * 2


@each_database
def test_the_housekeeping_does_it(house, alice):
    aged(alice, ended_at=31)
    live = session_of(log_in(alice)).pk
    assert "sessions" in [chore.name for chore in registry.registered()]

    Housekeeper(every_seconds=3600).do_what_is_due()

    assert [session.pk for session in Session.objects.filter(user=alice)] == [live]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_row_that_somebody_is_at_waits_for_the_next_round(house, alice, bob):
    held, free = aged(alice, ended_at=31), aged(bob, ended_at=31)

    def forget():
        try:
            return sum(forget_old_sessions())
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(max_workers=1) as thread:
        Session.objects.select_for_update().get(pk=held)
        assert thread.submit(forget).result(timeout=60) == 1
    assert [session.pk for session in Session.objects.filter(pk__in=[held, free])] == [held]

    assert sum(forget_old_sessions()) == 1
