"""What is sent as it should not be: the answer that the table says, no traceback, and the server serves on."""

import random

import pytest

from tests.stories.hostile.frames import ALONG, FRAMES
from tests.stories.hostile.handshakes import HANDSHAKES
from tests.stories.hostile.http_requests import REQUESTS
from tests.stories.hostile.wire import PATH, Wire, handshake_headers, request

SEED = 20261125


def named(inputs):
    return pytest.mark.parametrize("given", inputs, ids=lambda given: given.name[:60])


@named(FRAMES)
def test_a_frame_ends_the_socket_with_its_code_or_not_at_all(target, given):
    with Wire(target.address) as wire:
        assert wire.open(target.token) == "101"

        data = given.make(random.Random(SEED))
        assert wire.verdict_on(data, target.token, may_stay=given.may_stay) in given.expected


@named(ALONG)
def test_a_frame_that_comes_with_the_handshake_of_a_stranger_ends_the_connection(target, given):
    with Wire(target.address) as wire:
        wire.send(request(f"GET {PATH} HTTP/1.1", handshake_headers()) + given.make(random.Random(SEED)))

        assert wire.answer() == "101"
        assert wire.verdict() in given.expected
        assert wire.ends(), "the server has said its last word, and keeps the connection"


@named(HANDSHAKES)
def test_a_handshake_is_answered_with_its_status(target, given):
    with Wire(target.address) as wire:
        wire.send(given.bytes_of(target.token, random.Random(SEED)))

        assert wire.answer() in given.expected


@named(REQUESTS)
def test_a_request_is_answered_with_its_statuses_and_nothing_that_it_hides(target, given):
    with Wire(target.address) as wire:
        wire.send(given.make(target.token, random.Random(SEED)))

        assert wire.answers() in given.expected


def test_the_tables_name_each_input_once():
    for inputs in (FRAMES, HANDSHAKES, REQUESTS):
        names = [given.name for given in inputs]
        assert len(set(names)) == len(names)
