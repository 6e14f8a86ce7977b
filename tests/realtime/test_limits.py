"""Places, frequencies and buckets: exact, given back whatever happens, and forgotten when they are of no use."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.limits import Bucket, Frequency, Places, Rate, rate_of


class Full(Exception):
    """What these tests are refused with."""


class Clock:
    """A clock that a test sets."""

    now = 1_000_000_010.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30/min", (30, 60)),
        ("60/10s", (60, 10)),
        ("1/sec", (1, 1)),
        ("9/15minute", (9, 900)),
        ("50/hour", (50, 3600)),
        ("7/2d", (7, 172_800)),
    ],
)
def test_a_rate_is_a_number_in_a_time(text, rate):
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "30", "30/", "/min", "0/min", "30/0s", "-1/s", "30/week", "30 / min", "٣/min"])
def test_what_is_no_rate_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"expected a number per time, such as 30/min or 60/10s"):
        rate_of(text)


def test_a_key_gets_its_places_and_no_more():
    places = Places()

    with places.place("a", most=2, refusal=Full()), places.place("a", most=2, refusal=Full()):
        with pytest.raises(Full), places.place("a", most=2, refusal=Full()):
            pytest.fail("there was a place")
        with places.place("b", most=2, refusal=Full()):
            assert (places.held("a"), places.held("b"), len(places)) == (2, 1, 2)

    assert len(places) == 0


def test_who_was_refused_has_taken_no_place():
    places = Places()

    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(places.place("a", most=2, refusal=Full()))
        for _ in range(5):
            with pytest.raises(Full), places.place("a", most=2, refusal=Full()):
                pytest.fail("there was a place")
        assert places.held("a") == 2
        for _ in range(5):
            with pytest.raises(Full), places.place("b", most=0, refusal=Full()):
                pytest.fail("there was a place")

    assert len(places) == 0


def test_a_place_is_given_back_by_who_fails():
    places = Places()

    for _ in range(5):
        with pytest.raises(OSError, match="gone"), places.place("a", most=1, refusal=Full()):
            raise OSError("gone")

    assert len(places) == 0


def test_so_many_at_once_and_then_one_by_one(clock):
    frequency = Frequency(clock)
    rate = Rate(3, 60)

    assert [frequency.seconds_until_allowed("a", rate) for _ in range(5)] == [0, 0, 0, 20, 20], "refused: not counted"
    assert frequency.seconds_until_allowed("b", rate) == 0
    clock.now += 15
    assert frequency.seconds_until_allowed("a", rate) == pytest.approx(5)
    clock.now += 5
    assert [frequency.seconds_until_allowed("a", rate) for _ in range(2)] == [0, 20]
    clock.now += 3600
    assert [frequency.seconds_until_allowed("a", rate) for _ in range(4)] == [0, 0, 0, 20]


def test_no_moment_lets_twice_as_many_come_at_once(clock):
    """Counts that begin anew each minute would, where one minute meets the next."""
    frequency, rate = Frequency(clock), Rate(60, 60)
    clock.now = 1_000_000_019.5  # half a second before a full minute

    before = [frequency.seconds_until_allowed("a", rate) for _ in range(100)].count(0)
    clock.now += 1
    after = [frequency.seconds_until_allowed("a", rate) for _ in range(100)].count(0)

    assert (before, after) == (60, 1)


@given(
    rate=st.builds(Rate, st.integers(1, 20), st.sampled_from([1, 10, 60])),
    pauses=st.lists(st.floats(0, 100), min_size=1, max_size=60),
)
def test_whoever_comes_as_he_is_told_is_let_in_and_no_time_sees_more_than_its_share(rate, pauses):
    clock = Clock()
    frequency = Frequency(clock)
    let_in = []

    for pause in pauses:
        clock.now += pause
        wait = frequency.seconds_until_allowed("a", rate)
        if wait:
            clock.now += wait + 1e-5
            assert frequency.seconds_until_allowed("a", rate) == 0
        let_in.append(clock.now)

    for first, last in combinations(range(len(let_in)), 2):
        share = rate.most + (let_in[last] - let_in[first]) * rate.most / rate.seconds
        assert last - first + 1 <= share + 1e-3


def test_rates_of_other_lengths_count_by_themselves(clock):
    frequency = Frequency(clock)

    assert frequency.seconds_until_allowed("a", Rate(1, 60)) == 0
    assert frequency.seconds_until_allowed("a", Rate(1, 3600)) == 0
    assert frequency.seconds_until_allowed("a", Rate(1, 3600)) > 60


def remembered(frequency):
    return sum(len(buckets) for _, *both in frequency._buckets.values() for buckets in both)


def test_who_did_not_come_for_so_long_that_he_may_do_all_again_is_forgotten(clock):
    frequency = Frequency(clock)
    for number in range(1000):
        frequency.seconds_until_allowed(number, Rate(1, 60))

    clock.now += 60
    assert [frequency.seconds_until_allowed(number, Rate(1, 60)) for number in range(3)] == [0, 0, 0]
    assert remembered(frequency) == 1000
    clock.now += 59
    assert frequency.seconds_until_allowed(0, Rate(1, 60)) == pytest.approx(1), "he is remembered"
    clock.now += 1

    frequency.seconds_until_allowed("a", Rate(1, 60))
    assert remembered(frequency) == 4
    clock.now += 120
    frequency.seconds_until_allowed("a", Rate(1, 60))
    assert remembered(frequency) == 1


def test_what_is_under_way_counts_and_what_ends_in_an_error_does_not(clock):
    frequency, rate = Frequency(clock), Rate(2, 60)

    for _ in range(5):
        with pytest.raises(Full), frequency.counted("a", rate) as seconds:
            assert seconds == 0
            raise Full
    with frequency.counted("a", rate) as first, frequency.counted("a", rate) as second:
        for _ in range(3):
            with pytest.raises(Full), frequency.counted("a", rate) as third:
                raise Full

    assert (first, second, third) == (0, 0, 30)
    assert frequency.seconds_until_allowed("a", rate) == 30


def test_what_fails_late_gives_back_no_more_than_there_ever_is(clock):
    frequency, rate = Frequency(clock), Rate(1, 60)

    def fail_late():
        with frequency.counted("a", rate):
            clock.now += 600
            raise Full

    with pytest.raises(Full):
        fail_late()

    assert [frequency.seconds_until_allowed("a", rate) for _ in range(2)] == [0, 60]


def test_threads_at_the_same_time_are_all_counted(clock):
    frequency = Frequency(clock)

    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: frequency.seconds_until_allowed("a", Rate(3, 60)), range(400)))

    assert waits.count(0) == 3


def test_a_bucket_gives_all_at_once_and_is_refilled_steadily(clock):
    bucket = Bucket(Rate(60, 10), clock)

    assert [bucket.take() for _ in range(61)].count(True) == 60
    clock.now += 0.5
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 3600
    assert [bucket.take() for _ in range(61)].count(True) == 60, "what is not taken does not pile up"


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=200))
def test_no_bucket_gives_more_than_its_first_filling_and_what_time_brings(pauses):
    clock = Clock()
    bucket = Bucket(Rate(5, 10), clock)
    taken = 0

    for pause in pauses:
        clock.now += pause
        taken += bucket.take()

    assert taken <= 5 + sum(pauses) * 0.5 + 1e-6
