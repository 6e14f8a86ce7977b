"""Ids that sort by time, and the time inside them."""

from datetime import UTC, datetime, timedelta
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
