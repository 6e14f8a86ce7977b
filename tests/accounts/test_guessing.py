"""Guessing passwords: how many guesses are looked at, and that whoever is attacked gets in all the while."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts import guessing
from accounts.guessing import Guess
from accounts.models import FailedLogIn
from accounts.refusals import TooManyFailures
from config.values import proxies
from tests.accounts.api_calls import assert_problem, holder_of
from tests.accounts.api_calls import log_in as log_in_from_here
from tests.accounts.house import PASSWORD
from tests.hashing import QuickArgon2

pytestmark = pytest.mark.each_database

HOME, OFFICE = "198.51.100.5", "203.0.113.80"


@pytest.fixture(autouse=True)
def _proxy(settings):
    settings.USHER = settings.USHER.model_copy(update={"trusted_proxies": proxies("127.0.0.1")})


@pytest.fixture
def later(monkeypatch):
    """Let time pass for those who count: ``later(minutes=10)``."""
    passed = timedelta()

    def later(**time):
        nonlocal passed
        passed += timedelta(**time)

    now = timezone.now
    monkeypatch.setattr("accounts.guessing.timezone.now", lambda: now() + passed)
    return later


def log_in(username="alice", *, at=HOME, **credentials):
    return log_in_from_here(username, **credentials, **{"X-Forwarded-For": at})


def guess(times, username="alice", *, at=HOME, **credentials):
    """Guess at a password so often; return the statuses."""
    return [log_in(username, at=at, password="guess", **credentials).status for _ in range(times)]


def guess_from_everywhere(times, username="alice", **credentials):
    """Guess from an address for each guess, as a botnet does."""
    return [log_in(username, at=f"192.0.2.{n}", password="guess", **credentials).status for n in range(times)]


def test_ten_guesses_at_one_account_from_one_address_are_looked_at(house):
    assert guess(13) == [401] * 10 + [429] * 3

    refused = log_in()
    body = assert_problem(refused, 429, "too_many_failures")
    seconds = int(refused.headers["Retry-After"])
    assert 300 < seconds <= 600, "ten minutes after the first of them"
    assert body["detail"] == f"Too many wrong passwords; try again in {seconds} seconds."
    assert FailedLogIn.objects.count() == 10, "what is refused is not counted: time leads out of it"


def test_time_leads_out_of_it(house, later):
    guess(10)
    later(minutes=9)
    assert log_in().status == 429
    later(minutes=1, seconds=1)

    assert log_in().status == 200


def test_others_at_the_address_and_the_account_elsewhere_are_not_touched(house):
    guess(13)

    assert log_in("bob").status == 200
    assert log_in(at=OFFICE).status == 200
    assert log_in(at="2001:db8::1").status == 200


def test_a_success_takes_back_ones_own_failures_and_nobody_elses(house):
    guess(9)
    guess(9, at=OFFICE)

    assert log_in().status == 200

    assert guess(11) == [401] * 10 + [429]
    assert guess(2, at=OFFICE) == [401, 429]


def test_thirty_failures_a_minute_are_the_most_of_an_address(house, later):
    names = [f"nobody-{number}" for number in range(40)]
    statuses = [log_in(name, password="guess").status for name in names]

    assert statuses == [401] * 30 + [429] * 10
    refused = log_in("bob")
    assert refused.status == 429, "right or wrong"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert log_in("bob", at=OFFICE).status == 200
    later(seconds=61)
    assert log_in("bob").status == 200


def test_log_ins_that_succeed_are_no_failures(house, settings):
    settings.USHER = settings.USHER.model_copy(update={"logins_per_account_and_address": "100/min"})
    assert {log_in().status for _ in range(35)} == {200}
    assert not FailedLogIn.objects.exists()


def test_fifty_guesses_an_hour_at_one_account_are_looked_at_wherever_they_come_from(house, later):
    assert guess_from_everywhere(55) == [401] * 50 + [429] * 5

    refused = log_in(at=OFFICE)
    assert_problem(refused, 429, "too_many_failures")
    assert int(refused.headers["Retry-After"]) > 3000
    later(hours=1, seconds=1)
    assert log_in(at=OFFICE).status == 200


def test_whoever_has_logged_in_from_there_gets_in_while_others_guess(house):
    assert log_in().status == 200
    assert log_in(at="2001:db8::1").status == 200

    guess_from_everywhere(55)

    assert guess(2, at="192.0.2.200") == [429, 429]
    assert log_in().status == 200
    assert log_in(at="2001:db8::ffff:2").status == 200, "the same network"
    assert log_in(at=OFFICE).status == 429


def test_whoever_has_logged_in_from_there_may_mistype_while_others_guess_and_is_told_as_anybody_is(house):
    log_in()
    guess_from_everywhere(55)

    assert guess(9) == [429] * 9
    assert log_in().status == 200, "which takes back what was mistyped"
    assert guess(10) == [429] * 10
    assert log_in().status == 429, "ten are the most from an address, known or not"


# username, from where: each but the first has no way in while others guess
KNOWN, PLACES = ("alice", HOME), [("alice", OFFICE), ("bob", HOME), ("nobody", HOME)]


def test_beyond_the_limit_nothing_tells_a_known_address_from_another_or_from_no_account(house, monkeypatch):
    """The same answers after the same hashes, wrong password after wrong password, to the last that is looked at."""
    log_in()
    hashes: list[str] = []
    encode, verify = QuickArgon2.encode, QuickArgon2.verify
    monkeypatch.setattr(QuickArgon2, "encode", lambda *args: hashes.append("encode") or encode(*args))
    monkeypatch.setattr(QuickArgon2, "verify", lambda *args: hashes.append("verify") or verify(*args))

    def answers(username, at):
        said = []
        for _ in range(12):
            hashes.clear()
            answer = log_in(username, password="guess", at=at)
            body = assert_problem(answer, 429, "too_many_failures")
            seconds = int(answer.headers["Retry-After"])
            assert 3500 < seconds <= 3600
            assert body["detail"] == f"Too many wrong passwords; try again in {seconds} seconds."
            said.append((set(body), set(answer.headers), len(hashes)))
        return said

    for username in ("alice", "bob", "nobody"):
        assert guess_from_everywhere(50, username) == [401] * 50

    known = answers(*KNOWN)
    assert [hashed for *_, hashed in known] == [1] * 10 + [0] * 2
    for username, at in PLACES:
        FailedLogIn.objects.filter(network=at).delete()
        assert answers(username, at) == known, (username, at)


def test_a_right_password_from_elsewhere_is_answered_as_a_wrong_one_to_the_last(house):
    """Else whoever guesses beyond the limit would learn from the answers which guess was right."""
    guess_from_everywhere(50)

    statuses = [log_in(at=OFFICE).status for _ in range(11)]

    assert statuses == [429] * 11
    assert FailedLogIn.objects.filter(network=OFFICE).count() == 10


def test_what_is_guessed_beyond_the_limit_does_not_prolong_it(house, later):
    guess_from_everywhere(50)
    later(minutes=59)
    assert guess_from_everywhere(60) == [429] * 60
    later(minutes=1, seconds=1)

    assert log_in(at=OFFICE).status == 200


def test_having_logged_in_there_is_no_leave_to_guess_at_others(house):
    log_in("bob")

    guess_from_everywhere(55)

    assert log_in().status == 429


def test_an_account_that_does_not_exist_is_like_one_that_does(house):
    """The same statuses, and bodies but for ids and seconds, at every limit."""

    def bodies(username, **credentials):
        said = [log_in(username, password="guess", at=f"198.51.100.{len(username)}", **credentials) for _ in range(12)]
        said += [log_in(username, password="guess", at=f"192.0.2.{n}", **credentials) for n in range(45)]
        said.append(log_in(username, password="guess", at=OFFICE, **credentials))
        return [
            (
                answer.status,
                {**answer.body, "request_id": "", "detail": answer.body["detail"].rstrip("0123456789 .s")[:20]},
            )
            for answer in said
        ]

    known = bodies("alice")

    assert bodies("nobody") == known
    assert bodies("ali\u200bce") == known
    assert bodies("alice", tenant="nowhere") == known
    assert known[-1][0] == 429


@pytest.mark.parametrize("spelling", ["ALICE", "  alice ", "ＡＬＩＣＥ"])
def test_every_spelling_of_a_name_is_one_account(house, spelling):
    guess(10)

    assert guess(1, spelling) == [429]
    assert guess(1, spelling, tenant="globex") == [401]


def test_names_are_told_apart_and_kept_as_digests():
    accounts = {
        Guess(tenant=tenant, username=username, user_id=None, address=None).account
        for tenant, username in [(None, "a"), ("", "a"), ("a", ""), (None, "=a"), ("a", "b"), ("ab", ""), ("", "ab")]
    }

    assert len(accounts) == 7
    assert {len(account) for account in accounts} == {64}


def test_the_password_before_a_change_is_guessed_at_under_the_same_limits(house):
    alice = house.caller("alice")
    body = {"current": "guess", "new": "correct horse battery"}

    def change():
        return alice("POST", "auth/password", body, **{"X-Forwarded-For": HOME})

    assert [change().status for _ in range(12)] == [400] * 10 + [429] * 2
    assert_problem(change(), 429, "too_many_failures")
    assert guess(1) == [429]
    assert log_in(at=OFFICE).status == 200


def test_a_change_of_the_password_is_not_stopped_by_what_others_guess(house):
    pair = log_in().body
    guess_from_everywhere(55)

    changed = holder_of(pair)(
        "POST", "auth/password", {"current": PASSWORD, "new": "correct horse battery"}, **{"X-Forwarded-For": HOME}
    )

    assert changed.status == 204


def test_the_admins_log_in_is_limited_too(house):
    def post(password, at=HOME):
        form = {"username": "olga", "password": password}
        return Client().post("/admin/login/?next=/admin/", form, headers={"X-Forwarded-For": at})

    assert [post("guess").status_code for _ in range(12)] == [200] * 10 + [429] * 2
    refused = post(PASSWORD)
    assert (refused.status_code, refused["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert int(refused["Retry-After"]) > 500
    assert log_in("olga", tenant=None).status == 429, "one count for both doors"
    assert post(PASSWORD, at=OFFICE).status_code == 302


def test_the_admins_change_of_the_password_is_limited_too(house):
    browser = Client()
    browser.force_login(house.user("olga"), backend="accounts.authentication.OperatorBackend")

    def post(current, new="correct horse", again="correct horse", at=HOME):
        form = {"old_password": current, "new_password1": new, "new_password2": again}
        return browser.post("/admin/password_change/", form, headers={"X-Forwarded-For": at})

    assert [post("guess", again="another").status_code for _ in range(12)] == [200] * 12, "not looked at, not counted"
    assert [post("guess").status_code for _ in range(15)] == [200] * 10 + [429] * 5
    refused = post(PASSWORD)
    assert (refused.status_code, refused["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert int(refused["Retry-After"]) > 500
    assert log_in("olga", tenant=None).status == 429, "one count for all doors"
    assert post(PASSWORD, at=OFFICE).status_code == 302


def test_guesses_that_come_at_once_are_not_all_looked_at(house, settings):
    """Two places for hashing: so at most one more than the limit is looked at, however many come."""
    settings.USHER = settings.USHER.model_copy(update={"logins_per_account_and_address": "100/min"})

    def one(_):
        try:
            return log_in(password="guess").status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(one, range(48)))

    assert 10 <= statuses.count(401) <= 11
    assert statuses.count(401) + statuses.count(429) == 48


def test_a_refused_guess_is_not_hashed(house, monkeypatch):
    guess(10)
    monkeypatch.setattr("accounts.guessing.room.place", None)

    assert log_in().status == 429


def test_what_counts_no_more_is_removed_in_steps(house, monkeypatch):
    monkeypatch.setattr(guessing, "AT_ONCE", 7)
    guess(10)
    guess_from_everywhere(10, "bob")
    FailedLogIn.objects.update(at=F("at") - timedelta(minutes=30))
    guess(1, "carol")
    FailedLogIn.objects.update(at=F("at") - timedelta(minutes=31))

    assert list(guessing.forget_old()) == [7, 7, 6]
    assert FailedLogIn.objects.count() == 1


def test_a_server_whose_clock_is_ahead_removes_nothing_that_counts(house, later):
    guess(10)
    later(hours=2)

    assert sum(guessing.forget_old()) == 0
    assert FailedLogIn.objects.count() == 10


def test_the_service_says_how_long(house):
    attempt = Guess(tenant="acme", username="alice", user_id=house.id("alice"), address=HOME)
    for _ in range(10):
        assert guessing.is_right(attempt, lambda: False) is False

    with pytest.raises(TooManyFailures) as refused:
        guessing.is_right(attempt, lambda: True)

    assert 590 <= refused.value.retry_after_seconds <= 600
