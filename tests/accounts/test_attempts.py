"""How often one may log in, whether the password is right or not: an account from an address, and an address."""

import pytest
from django.test import Client

from accounts import attempts
from accounts.models import FailedLogIn, Session
from config.values import proxies
from tests.accounts.api_calls import assert_problem, log_in
from tests.accounts.house import PASSWORD

HOME, OFFICE = "198.51.100.5", "203.0.113.80"


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """Let no time pass."""
    monkeypatch.setattr(attempts.frequency, "_clock", lambda: 1_000_000_010.0)


@pytest.fixture
def limit(settings):
    """Set limits, behind a proxy that says who comes."""

    def limit(**limits):
        settings.USHER = settings.USHER.model_copy(update={"trusted_proxies": proxies("127.0.0.1"), **limits})

    return limit


def statuses(times, username="alice", *, at=HOME, **credentials):
    return [log_in(username, **credentials, **{"X-Forwarded-For": at}).status for _ in range(times)]


def test_an_account_logs_in_so_often_from_an_address(house, limit):
    limit(logins_per_account_and_address="3/min")

    assert statuses(5) == [200] * 3 + [429] * 2
    refused = log_in(**{"X-Forwarded-For": HOME})
    body = assert_problem(refused, 429, "throttled")
    assert refused.headers["Retry-After"] == "20", "a third of a minute"
    assert body["detail"] == "Too many log-ins; try again in 20 seconds."
    assert Session.objects.count() == 3, "what is refused makes no session"
    assert statuses(1, at=OFFICE) == [200]
    assert statuses(1, "bob") == [200]
    assert statuses(1, "ALICE ") == [429], "every spelling is one account"


def test_an_address_logs_in_so_often_whoever_comes(house, limit):
    limit(logins_per_address="3/min")

    assert [*statuses(2), *statuses(1, "bob"), *statuses(1, "carol"), *statuses(1, "nobody")] == [200] * 3 + [429] * 2
    assert statuses(1, "carol", at=OFFICE) == [200]


@pytest.mark.parametrize("username", ["alice", "nobody", "ali\u200bce"])
def test_wrong_passwords_count_whether_there_is_such_an_account_or_not(house, limit, username):
    limit(logins_per_account_and_address="3/min")

    assert statuses(4, username, password="guess") == [401] * 3 + [429]
    assert FailedLogIn.objects.count() == 3


def test_what_is_refused_reaches_neither_the_database_nor_the_hashing(house, limit, monkeypatch):
    limit(logins_per_address="1/min")
    statuses(1)
    monkeypatch.setattr("accounts.guessing._count_or_refuse", None)
    monkeypatch.setattr("accounts.guessing.room.place", None)

    assert statuses(1) == [429]


def test_the_admins_log_in_and_the_change_of_a_password_are_counted_too(house, limit):
    alice = house.caller("alice")
    limit(logins_per_account_and_address="1/min")
    form = {"username": "olga", "password": PASSWORD}

    answers = [Client().post("/admin/login/?next=/admin/", form, headers={"X-Forwarded-For": HOME}) for _ in range(2)]
    changes = [
        alice("POST", "auth/password", {"current": "guess", "new": "correct horse"}, **{"X-Forwarded-For": OFFICE})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [302, 429]
    assert (answers[1]["Retry-After"], answers[1]["Content-Type"]) == ("60", "text/plain; charset=utf-8")
    assert [answer.status for answer in changes] == [400, 429]


def test_an_office_of_five_hundred_is_in_within_two_minutes_and_half_of_the_hashing_is_left(settings):
    """A process hashes ten a second; see docs/configuration.md."""
    most, seconds = attempts.rate_of(settings.USHER.logins_per_address)

    assert (most / seconds) * 120 >= 500
    assert (most / seconds) * 2 <= 10
