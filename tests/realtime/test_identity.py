"""Ids that sort by time, and the time inside them."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.identity import moment_of, new_id


def test_ids_are_version_7_differ_and_sort_as_they_were_made():
    ids = [new_id() for _ in range(1000)]

    assert {identity.version for identity in ids} == {7}
    assert len(set(ids)) == 1000
    assert sorted(ids, key=str) == ids


def test_an_id_tells_when_it_was_made():
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    moment = moment_of(new_id())

    assert moment is not None
    assert before <= moment <= datetime.now(UTC)


def test_an_id_tells_nothing_of_those_made_before_it(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_764_095_922_123_456_789)

    ids = [new_id().int for _ in range(100)]

    assert len({identity >> 64 for identity in ids}) == 1, "of one moment, which is all that they share"
    for bit in range(62):
        assert {identity >> bit & 1 for identity in ids} == {0, 1}, bit
    steps = [later - earlier for earlier, later in pairwise(ids)]
    assert {step > 0 for step in steps} == {True, False}, "a counter would only ever go up"
    assert moment_of(new_id()) == datetime(2025, 11, 25, 18, 38, 42, 123000, tzinfo=UTC)


def test_the_example_of_the_standard():
    # RFC 9562, appendix A.6
    assert moment_of(UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "identity",
    [
        uuid4(),
        UUID(int=0),
        UUID(int=2**128 - 1),
        UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"),  # version 7, of the year 10889
    ],
)
def test_other_ids_tell_no_time(identity):
    assert moment_of(identity) is None


@given(st.uuids())
def test_no_id_makes_it_fail(identity):
    assert moment_of(identity) is None or identity.version == 7
