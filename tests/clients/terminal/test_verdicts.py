"""What ends mean, and how long to wait: pure, and told by tables."""

import pytest

from clients.terminal.backoff import LONGEST_SECONDS, seconds_until_retry
from clients.terminal.verdicts import Verdict, seconds_of, verdict_on_close, verdict_on_status

COME_BACK, RENEW, WAIT, STOP = Verdict.COME_BACK, Verdict.RENEW, Verdict.WAIT, Verdict.STOP


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        (range(1000, 1016), COME_BACK),
        (range(3000, 4100), COME_BACK),
        (range(4100, 4200), RENEW),
        (range(4200, 4300), WAIT),
        (range(4300, 4400), COME_BACK),
        (range(4400, 4500), STOP),
        (range(4500, 5000), COME_BACK),
    ],
)
def test_the_range_of_a_close_code_is_the_verdict(codes, verdict):
    assert {verdict_on_close(code) for code in codes} == {verdict}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, STOP),
        (401, RENEW),
        (403, STOP),
        (404, STOP),
        (408, COME_BACK),
        (425, COME_BACK),
        (429, WAIT),
        (500, COME_BACK),
        (502, COME_BACK),
        (503, WAIT),
        (200, COME_BACK),
        (302, COME_BACK),
    ],
)
def test_the_status_of_a_refused_handshake_says_the_same(status, verdict):
    assert verdict_on_status(status) is verdict


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0", 0.0), (None, 0.0), ("", 0.0), ("-1", 0.0), ("²", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)],
)
def test_retry_after_counts_when_it_is_seconds(header, seconds):
    assert seconds_of(header) == seconds


def test_the_longest_wait_doubles_up_to_a_bound():
    longest = [seconds_until_retry(attempt, lambda: 1.0) for attempt in (0, 1, 2, 5, 6, 7, 10_000)]

    assert longest == [0.5, 1.0, 2.0, 16.0, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]


def test_jitter_is_full_and_never_less_than_the_server_asks_for():
    assert seconds_until_retry(4, lambda: 0.0) == 0.0
    assert seconds_until_retry(4, lambda: 0.5) == 4.0
    assert seconds_until_retry(4, lambda: 0.5, at_least=10.0) == 14.0
