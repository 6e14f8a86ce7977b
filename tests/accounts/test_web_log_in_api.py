"""Logging in from a page: the refresh token is in a cookie that no script reads, and goes nowhere else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import provisioning, sessions
from accounts.models import Session, User
from accounts.refusals import BadCredentials
from accounts.tokens import read_refresh
from config.values import proxies
from tests.accounts.api_calls import assert_problem, holder_of, log_in, renew
from tests.accounts.browser import PLAIN, SECURE, Browser

pytestmark = pytest.mark.each_database

SESSION_SECONDS = 14 * 24 * 3600


def assert_cleared(browser):
    """Check that the latest answer has the browser forget the refresh token."""
    (morsel,) = browser.told.values()
    assert (morsel.key, morsel.value, morsel["max-age"], morsel["path"]) == (PLAIN, "", 0, "/api/v1/auth/web")


@pytest.fixture
def behind_tls(settings):
    """The server's place behind a proxy that speaks TLS."""
    settings.USHER = settings.USHER.model_copy(update={"trusted_proxies": proxies("127.0.0.1")})
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "usher.example.com"]


def test_a_log_in_gives_an_access_token_and_puts_the_refresh_token_where_no_script_finds_it(house):
    browser = Browser()

    answer = browser.log_in()

    assert answer.status == 200
    assert set(answer.body) == {"access", "expires_in"}
    assert answer.body["expires_in"] == 300
    assert holder_of(answer.body)("GET", "me").body["username"] == "alice"
    (morsel,) = browser.told.values()
    assert morsel.key == PLAIN
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/api/v1/auth/web")
    assert (morsel["secure"], morsel["domain"]) == ("", "")
    assert morsel["max-age"] == SESSION_SECONDS
    assert read_refresh(morsel.value).session_id == Session.objects.get().pk
    assert morsel.value not in answer.bytes.decode()


@pytest.mark.usefixtures("behind_tls")
def test_by_https_the_cookie_is_secure_in_name_and_in_fact(house):
    browser = Browser("https://usher.example.com")

    assert browser.log_in().status == 200
    (morsel,) = browser.told.values()
    assert (morsel.key, morsel["secure"]) == (SECURE, True)

    assert browser.post("refresh").status == 200
    assert browser.post("logout").status == 204
    (morsel,) = browser.told.values()
    assert (morsel.key, morsel.value, morsel["secure"]) == (SECURE, "", True)


def test_https_is_believed_of_a_trusted_proxy_alone(house):
    browser = Browser("https://localhost:8000")

    assert_problem(browser.log_in(), 403, "origin_not_allowed", "to the server this came by http")


@pytest.mark.usefixtures("behind_tls")
def test_without_tls_a_page_from_elsewhere_gets_no_cookie(house):
    refused = Browser("http://usher.example.com").log_in()

    assert_problem(refused, 403, "insecure_connection")
    assert "Set-Cookie" not in refused.headers
    assert not Session.objects.exists()


def test_a_renewal_gives_the_next_pair_with_what_is_left_of_the_session(house):
    browser = Browser()
    first = browser.log_in().body
    used = browser.cookie
    Session.objects.update(expires_at=timezone.now() + timedelta(days=1))

    second = browser.post("refresh")

    assert second.status == 200
    assert set(second.body) == {"access", "expires_in"}
    assert second.body["access"] != first["access"]
    assert browser.cookie not in (None, used)
    (morsel,) = browser.told.values()
    assert 86_000 < morsel["max-age"] <= 86_400
    assert holder_of(second.body)("GET", "me").status == 200


def test_two_tabs_that_renew_at_once_get_the_same_pair(house):
    browser, tab = Browser(), Browser()
    browser.log_in()
    tab.cookie = browser.cookie

    first, second = browser.post("refresh"), tab.post("refresh")

    assert first.body == second.body
    assert browser.cookie == tab.cookie
    assert browser.post("refresh").status == 200


def test_a_refresh_token_that_is_used_again_later_ends_the_session_and_clears_the_cookie(house):
    browser, thief = Browser(), Browser()
    browser.log_in()
    thief.cookie = browser.cookie
    browser.post("refresh")
    Session.objects.update(refreshed_at=timezone.now() - timedelta(seconds=11))

    assert_problem(thief.post("refresh"), 401, "session_ended")
    assert_cleared(thief)
    assert_problem(browser.post("refresh"), 401, "session_ended")
    assert_cleared(browser)
    assert Session.objects.get().end_reason == "refresh_reused"


@pytest.mark.parametrize("cookie", [None, "nonsense", "an access token", "forged"])
def test_without_a_good_cookie_a_renewal_is_refused_in_the_same_words(house, cookie):
    browser = Browser()
    access = browser.log_in().body["access"]
    good = browser.cookie
    browser = Browser()
    if cookie is not None:
        browser.cookie = {"an access token": access, "forged": f"{good[:-2]}AA"}.get(cookie, cookie)

    refused = assert_problem(browser.post("refresh"), 401, "unauthenticated")

    assert refused["detail"] == "This browser has no session here that goes on; log in."
    assert_cleared(browser)


def test_a_cookie_of_the_other_name_opens_nothing(house):
    browser = Browser()
    browser.log_in()
    token, fresh = browser.cookie, Browser()

    assert_problem(fresh.post("refresh", Cookie=f"{SECURE}={token}"), 401, "unauthenticated")
    assert fresh.post("refresh", Cookie=f"{PLAIN}={token}").status == 200


def test_a_refresh_token_in_a_body_is_not_looked_at(house):
    pair = log_in().body

    refused = Browser().post("refresh", {"refresh": pair["refresh"]})

    assert_problem(refused, 400, "invalid")
    assert renew(pair["refresh"]).status == 200, "it was not used up"


def test_a_log_out_ends_the_session_and_clears_the_cookie(house):
    browser = Browser()
    access = browser.log_in().body

    answer = browser.post("logout")

    assert (answer.status, answer.body) == (204, None)
    assert_cleared(browser)
    assert Session.objects.get().end_reason == "logged_out"
    assert_problem(holder_of(access)("GET", "me"), 401, "session_ended")


@pytest.mark.parametrize("cookie", ["of an ended session", "nonsense", None])
def test_a_log_out_that_has_nothing_to_end_clears_the_cookie_all_the_same(house, cookie):
    browser = Browser()
    browser.log_in()
    sessions.end_all_sessions(house.user("alice"), reason="ended_by_staff")
    if cookie != "of an ended session":
        browser = Browser()
        if cookie is not None:
            browser.cookie = cookie

    assert browser.post("logout").status == 204
    assert_cleared(browser)
    assert Session.objects.get().end_reason == "ended_by_staff"


def test_whoever_logs_in_over_a_session_ends_it(house):
    browser = Browser()
    browser.log_in("alice")
    alices = Session.objects.get()

    assert browser.log_in("bob", password="wrong").status == 401
    alices.refresh_from_db()
    assert alices.ended_at is None, "a password that is wrong takes nobody's session"

    assert browser.log_in("bob").status == 200
    alices.refresh_from_db()
    assert alices.end_reason == "replaced"
    assert holder_of(browser.post("refresh").body)("GET", "me").body["username"] == "bob"


def test_an_operator_logs_in_without_a_tenant(house):
    answer = Browser().log_in("olga", tenant=None)

    assert holder_of(answer.body)("GET", "me").body["username"] == "olga"


def test_whatever_is_wrong_with_credentials_is_told_as_programs_are_told(house):
    for browser in (Browser().log_in(password="guess"), Browser().log_in("nobody"), Browser().log_in(tenant="nowhere")):
        assert assert_problem(browser, 401, "bad_credentials")["detail"] == BadCredentials.sentence
        assert "Set-Cookie" not in browser.headers


def test_guesses_count_with_those_of_programs(house, settings):
    limits = {"failed_logins_per_account_and_address": "2/h"}
    settings.USHER = settings.USHER.model_copy(update=limits)

    assert Browser().log_in(password="guess").status == 401
    assert log_in(password="guess").status == 401

    assert_problem(Browser().log_in(), 429, "too_many_failures")
    assert_problem(log_in(), 429, "too_many_failures")


def test_a_suspended_tenant_keeps_its_peoples_cookies(house):
    browser = Browser()
    browser.log_in()
    provisioning.change_tenant(house.acme, is_active=False)

    refused = browser.post("refresh")

    assert_problem(refused, 503, "tenant_suspended")
    assert "Set-Cookie" not in refused.headers
    provisioning.change_tenant(house.acme, is_active=True)
    assert browser.post("refresh").status == 200


def test_who_is_deactivated_is_told_so(house):
    browser = Browser()
    browser.log_in()
    User.objects.filter(username="alice").update(is_active=False)

    assert_problem(browser.post("refresh"), 403, "not_authorised")
