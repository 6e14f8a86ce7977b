"""The waiting room: few places, given back whatever happens."""

from contextlib import ExitStack

import pytest

from realtime.waiting import TooManyWaiting, WaitingRoom


@pytest.fixture
def room():
    return WaitingRoom(most_per_address=2, most=3)


def test_one_address_gets_a_few_places_and_no_more(room):
    with room.place("192.0.2.1"), room.place("192.0.2.1"):
        with pytest.raises(TooManyWaiting), room.place("192.0.2.1"):
            pytest.fail("there was a place")
        with room.place("192.0.2.2"):
            pass


def test_all_addresses_together_get_a_few_places_and_no_more(room):
    with ExitStack() as places:
        for number in range(3):
            places.enter_context(room.place(f"192.0.2.{number}"))
        with pytest.raises(TooManyWaiting), room.place("192.0.2.99"):
            pytest.fail("there was a place")


def test_who_was_refused_has_taken_no_place(room):
    with room.place("192.0.2.1"), room.place("192.0.2.1"):
        for _ in range(5):
            with pytest.raises(TooManyWaiting), room.place("192.0.2.1"):
                pytest.fail("there was a place")
    with room.place("192.0.2.1"), room.place("192.0.2.1"):
        pass


def test_a_place_is_given_back_by_who_fails(room):
    for _ in range(5):
        with pytest.raises(OSError, match="gone"), room.place("192.0.2.1"), room.place("192.0.2.1"):
            raise OSError("gone")


def test_nothing_is_remembered_of_who_has_left(room):
    for number in range(100):
        with room.place(f"192.0.2.{number}"):
            pass

    assert not room._by_address


def test_the_bounds_are_those_of_the_protocol_page():
    with ExitStack() as places:
        room = WaitingRoom()
        for number in range(200):
            places.enter_context(room.place(f"192.0.2.{number // 10}"))
        with pytest.raises(TooManyWaiting), room.place("198.51.100.1"):
            pytest.fail("there was a place")
