"""More than anybody needs to send: it is cut short, costs little memory, and others are served meanwhile."""

from collections.abc import Callable

import pytest

from tests.stories.hostile.conftest import Target
from tests.stories.hostile.wire import PING, PONG, TEXT, Wire, frame, request, text
from tests.stories.servers import NAMES

MEGABYTE = 2**20
MOST_MEGABYTES = 20
PONG_MESSAGE = text('{"type":"pong"}')
CHUNKED = request(
    "POST /api/v1/auth/token HTTP/1.1",
    [("Host", "127.0.0.1"), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")],
)

ON_A_SOCKET = {
    "a frame of 64 MiB": (frame(TEXT, declared=2**31) + b"\0" * (64 * MEGABYTE), {"1009", "dropped"}),
    "a million empty fragments": (frame(TEXT, fin=False) + frame(0, fin=False) * 1_000_000, {"1009", "dropped"}),
    "200,000 fragments of 40 bytes": (
        frame(TEXT, fin=False) + frame(0, b"x" * 40, fin=False) * 200_000,
        {"1009", "dropped"},
    ),
    "10,000 messages": (PONG_MESSAGE * 10_000, {"4202", "dropped"}),
    "1,500 pings": (frame(PING, b"x" * 100) * 1500, {"open"}),
    "1,500 pongs": (frame(PONG, b"x" * 100) * 1500, {"open"}),
    "1,500 pings inside a message": (
        frame(TEXT, b'{"type":', fin=False) + frame(PING, b"x") * 1500 + frame(0, b'"pong"}'),
        {"open"},
    ),
    # A machine may be so slow that ten seconds' worth comes in while this is read.
    "100,000 pings": (frame(PING, b"x" * 100) * 100_000, {"1008", "dropped"}),
    "100,000 empty pongs": (frame(PONG) * 100_000, {"1008", "dropped"}),
}


@pytest.fixture(scope="module", params=NAMES)
def limited(request: pytest.FixtureRequest, start_target: Callable[..., Target]) -> Target:
    """A server with the product's own limit on messages."""
    return start_target(request.param, USHER_MESSAGES_PER_SOCKET="60/10s")


@pytest.mark.parametrize("name", ON_A_SOCKET)
def test_too_much_on_a_socket(limited, name):
    data, expected = ON_A_SOCKET[name]
    with Wire(limited.address) as wire:
        assert wire.open(limited.token) == "101"
        before = limited.megabytes()

        assert wire.verdict_on(data, limited.token, may_stay="open" in expected) in expected

        assert limited.megabytes() - before < MOST_MEGABYTES
    limited.assert_unharmed()


def test_a_body_of_100_megabytes_in_chunks(limited):
    before = limited.megabytes()
    with Wire(limited.address) as wire:
        wire.send(CHUNKED)
        chunk = b"ea60\r\n" + b"x" * 60_000 + b"\r\n"
        wire.send(chunk * (100 * MEGABYTE // len(chunk)) + b"0\r\n\r\n")

        assert wire.answer() in {"413", "dropped"}
    assert limited.megabytes() - before < MOST_MEGABYTES
    limited.assert_unharmed()


def test_a_hundred_requests_in_one_go_are_answered_as_they_are_read(limited):
    before = limited.megabytes()
    with Wire(limited.address) as wire:
        wire.send(request("GET /livez HTTP/1.1", [("Host", "127.0.0.1")]) * 100)

        assert all(wire.answer() == "200" for _ in range(100))
    assert limited.megabytes() - before < MOST_MEGABYTES
