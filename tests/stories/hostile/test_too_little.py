"""Who says nothing, or half of something, is not waited for: 10 s for a handshake, 5 s for a token, then for a pong."""

import time
from collections.abc import Callable

import pytest

from tests.stories.hostile.conftest import Target
from tests.stories.hostile.wire import PATH, TEXT, Wire, frame, handshake_headers, request, text
from tests.stories.servers import NAMES

HANDSHAKE = request(f"GET {PATH} HTTP/1.1", handshake_headers())
BEGUN = {
    "nothing": (b"", {"dropped"}, 10),
    "half a line": (b"GET /ws/user_not", {"dropped"}, 10),
    "half a head": (HANDSHAKE[:-2], {"dropped"}, 10),
    "a head with bare LFs": (HANDSHAKE.replace(b"\r\n", b"\n")[:-1], {"dropped", "400"}, 10),
    "a body that does not come": (
        request("POST /ws/user_notifications/ HTTP/1.1", [("Host", "x"), ("Content-Length", "9")])[:-2],
        {"dropped"},
        10,
    ),
}
UNAUTHENTICATED = {
    "no message": b"",
    "half a message": frame(TEXT, b'{"type":', fin=False),
    "half a frame": text('{"type":"auth","token":"x"}')[:20],
    "half a head of a frame": b"\x81",
}
ADMITTED = {
    "no answer to a ping": b"",
    "half a message": frame(TEXT, b'{"type":', fin=False),
    "half a frame": frame(TEXT, b"x", declared=2**16),
    "half a head of a frame": b"\x81\xfe",
}
HEARTBEAT = {"USHER_HEARTBEAT_SECONDS": "2", "USHER_PONG_SECONDS": "2"}
ALLOWANCE_SECONDS = 8
"""What a busy machine may add to any of these."""


@pytest.fixture(scope="module")
def targets(start_target: Callable[..., Target]) -> list[Target]:
    """Both servers, whose waiting is waited for at once."""
    return [start_target(name, **HEARTBEAT) for name in NAMES]


def test_nobody_who_says_too_little_is_waited_for(targets):
    waiting = []
    for target in targets:
        for name, (data, expected, seconds) in BEGUN.items():
            waiting.append((f"{name} ({target.server.name})", _begun(target, data), _answer, expected, seconds))
        for name, data in UNAUTHENTICATED.items():
            wire = _socket(target, data)
            waiting.append((f"{name} ({target.server.name})", wire, Wire.verdict, {"4408"}, 5))
        for name, data in ADMITTED.items():
            wire = _socket(target, data, token=target.token)
            waiting.append((f"{name}, admitted ({target.server.name})", wire, Wire.verdict, {"4003"}, 2.4 + 2))
    began = time.monotonic()

    seen = {}
    for name, wire, look, expected, seconds in sorted(waiting, key=lambda row: row[-1]):
        outcome = look(wire)
        took = time.monotonic() - began
        wire.close()
        seen[name] = outcome, outcome in expected and took < seconds + ALLOWANCE_SECONDS

    assert all(is_right for _, is_right in seen.values()), seen
    for target in targets:
        target.assert_unharmed()


def _answer(wire: Wire) -> str:
    return wire.answer()


def _begun(target: Target, data: bytes) -> Wire:
    wire = Wire(target.address)
    wire.send(data)
    return wire


def _socket(target: Target, data: bytes, token: str | None = None) -> Wire:
    wire = Wire(target.address)
    assert wire.open(token) == "101"
    wire.send(data)
    return wire
