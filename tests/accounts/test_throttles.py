"""How often one address may do what anybody may do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.api.throttles import AddressThrottle, FailedLogInThrottle, SignupThrottle


class Thrice(AddressThrottle):
    """Three a minute."""

    scope = "thrice"

    def rate(self) -> str:
        """Return the rate."""
        return "3/min"


@pytest.fixture(autouse=True)
def _nothing_counted_yet(monkeypatch):
    cache.clear()
    monkeypatch.setattr("accounts.api.throttles.time.time", lambda: 1_000_000_010.0)


def allowed(address: str, throttle: AddressThrottle | None = None) -> bool:
    return (throttle or Thrice()).allow_request(request_from(address), None)


def request_from(address: str) -> Request:
    return Request(APIRequestFactory().get("/", REMOTE_ADDR=address, headers={"X-Forwarded-For": "203.0.113.9"}))


def test_each_address_has_its_own_count():
    assert [allowed("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    assert allowed("192.0.2.2")


@pytest.mark.parametrize(
    ("address", "same", "another"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("fe80::1%eth0", "fe80::2", "fe80:0:0:1::1"),
        ("", "", "192.0.2.2"),
    ],
)
def test_addresses_that_one_caller_has_count_as_one(address, same, another):
    for _ in range(3):
        assert allowed(address)

    assert not allowed(same)
    assert allowed(another)


def test_a_new_window_begins_anew_and_the_wait_leads_to_it(monkeypatch):
    for _ in range(4):
        allowed("192.0.2.1")
    wait = Thrice().wait()

    monkeypatch.setattr("accounts.api.throttles.time.time", lambda: 1_000_000_010.0 + wait - 0.1)
    assert not allowed("192.0.2.1")
    monkeypatch.setattr("accounts.api.throttles.time.time", lambda: 1_000_000_010.0 + wait)
    assert allowed("192.0.2.1")


def test_requests_at_the_same_time_are_all_counted():
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: allowed("192.0.2.1"), range(100)))

    assert answers.count(True) == 3


def test_sign_ups_are_limited_as_the_environment_says(settings):
    settings.USHER = settings.USHER.model_copy(update={"signup_rate": "2/h"})

    assert [allowed("192.0.2.1", SignupThrottle()) for _ in range(3)] == [True, True, False]
    assert SignupThrottle().wait() > 60


def test_asking_whether_one_may_log_in_counts_nothing_and_failing_does():
    throttle = FailedLogInThrottle()
    assert all(allowed("192.0.2.1", throttle) for _ in range(100))

    for _ in range(30):
        throttle.note_failure(request_from("192.0.2.1"))

    assert not allowed("192.0.2.1", throttle)
