"""What a cookie opens is opened by our own pages alone."""

import pytest

from accounts.models import Session
from tests.accounts.api_calls import assert_problem
from tests.accounts.browser import HERE, Browser

FOREIGN = {
    "none": None,
    "an opaque one": "null",
    "another host": "http://evil.example",
    "another port": "http://localhost:8001",
    "another scheme": "https://localhost:8000",
    "another name of this machine": "http://127.0.0.1:8000",
    "ours with more behind it": "http://localhost:8000.evil.example",
    "ours twice": f"{HERE},{HERE}",
    "an empty one": "",
}
CALLS = {"token": {"tenant": "acme", "username": "alice", "password": "usher-demo"}, "refresh": None, "logout": None}


@pytest.mark.parametrize("what", CALLS)
def test_a_page_of_anybody_elses_is_refused_and_nothing_happens(house, what):
    browser = Browser()
    browser.log_in()
    session = Session.objects.get()

    for about, origin in FOREIGN.items():
        refused = browser.post(what, CALLS[what], Origin=origin)
        assert_problem(refused, 403, "origin_not_allowed", about)
        assert "Set-Cookie" not in refused.headers, about

    now = Session.objects.get()
    assert (now.refresh_jti, now.ended_at) == (session.refresh_jti, None)
    assert browser.post("refresh").status == 200, "the same from our own page"


def test_what_a_browser_itself_calls_cross_site_is_refused(house):
    browser = Browser()

    assert_problem(browser.post("token", CALLS["token"], **{"Sec-Fetch-Site": "cross-site"}), 403, "origin_not_allowed")
    assert browser.post("token", CALLS["token"], **{"Sec-Fetch-Site": None}).status == 200, "older ones say nothing"


def test_a_page_that_the_house_has_named_may(house, settings):
    settings.USHER = settings.USHER.model_copy(update={"allowed_origins": ("https://app.example.com",)})

    assert Browser().post("token", CALLS["token"], Origin="https://app.example.com").status == 200
    assert_problem(Browser().post("token", CALLS["token"], Origin="http://app.example.com"), 403, "origin_not_allowed")


def test_a_page_of_another_origin_is_never_given_leave_to_use_cookies(house, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    settings.USHER = settings.USHER.model_copy(update={"allowed_origins": ("https://app.example.com",)})

    answer = Browser().post("token", CALLS["token"], Origin="https://app.example.com")

    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_refusal_says_what_came_and_what_was_expected(house):
    refused = assert_problem(Browser().post("refresh", Origin="http://evil.example"), 403, "origin_not_allowed")

    assert "http://evil.example" in refused["detail"]
    assert "USHER_ALLOWED_ORIGINS" in refused["detail"]
