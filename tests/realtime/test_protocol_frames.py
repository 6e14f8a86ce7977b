"""What the server says: every frame to the byte, and every close code with its words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import websockets.frames
from websockets.frames import Opcode

from realtime import protocol
from realtime.protocol import Close

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
MOST_BYTES_OF_A_REASON = 123


@pytest.mark.parametrize("close", Close)
def test_a_close_code_is_in_a_range_that_says_what_to_do(close):
    assert close // 100 in {40, 41, 42, 44}
    assert close.may_reconnect == (close < 4400)
    assert 3000 <= close <= 4999, "daphne takes no others"


@pytest.mark.parametrize("close", Close)
def test_a_reason_fits_into_a_close_frame_and_says_the_way_out(close):
    assert 0 < len(close.reason.encode()) <= MOST_BYTES_OF_A_REASON
    assert ("after=<last id>" in close.reason) == (4000 <= close < 4100 or close is Close.TOKEN_EXPIRED)


def test_the_codes_and_what_a_refused_handshake_says_instead():
    assert {int(close): close.problem for close in protocol.PROBLEMS} == {
        4000: (503, "draining"),
        4001: (503, "unavailable"),
        4101: (401, "token_expired"),
        4102: (401, "session_ended"),
        4200: (429, "tenant_limit"),
        4201: (429, "user_limit"),
        4202: (429, "rate"),
        4203: (503, "node_full"),
        4204: (503, "tenant_suspended"),
        4400: (400, "bad_request"),
        4401: (401, "unauthenticated"),
        4403: (403, "not_authorised"),
    }
    # The others can only happen on a socket that is open.
    assert set(Close) - set(protocol.PROBLEMS) == {4002, 4003, 4004, 4408, 4413}


def test_ready():
    frame = protocol.ready(
        session="5b0d0000-0000-7000-8000-000000000001",
        user={"id": "5b0d0000-0000-7000-8000-000000000002", "username": "alice"},
        tenant="acme",
        permissions={"watch_signups", "manage_users"},
        fields={"email": "view_user_contact"},
        token_expires_at=NOON,
        heartbeat_seconds=25,
        pong_seconds=10,
        limits={"message_bytes": 8192},
    )

    assert frame.text == (
        '{"type":"ready","version":"usher.v1","session":"5b0d0000-0000-7000-8000-000000000001",'
        '"user":{"id":"5b0d0000-0000-7000-8000-000000000002","username":"alice"},"tenant":"acme",'
        '"permissions":["manage_users","watch_signups"],"fields":{"email":"view_user_contact"},'
        '"token_expires_at":"2026-03-01T12:00:00Z","heartbeat":{"every_seconds":25,"answer_within_seconds":10},'
        '"limits":{"message_bytes":8192}}'
    )


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (protocol.synced(), '{"type":"synced","complete":true}'),
        (protocol.synced("too_many"), '{"type":"synced","complete":false,"reason":"too_many"}'),
        (protocol.synced("unknown_cursor"), '{"type":"synced","complete":false,"reason":"unknown_cursor"}'),
        (protocol.rights_changed({"b", "a"}), '{"type":"rights.changed","permissions":["a","b"]}'),
        (protocol.auth_ok(NOON), '{"type":"auth.ok","token_expires_at":"2026-03-01T12:00:00Z"}'),
        (protocol.auth_expiring(NOON), '{"type":"auth.expiring","token_expires_at":"2026-03-01T12:00:00Z"}'),
        (protocol.PING, '{"type":"ping"}'),
        (
            protocol.goodbye(Close.SESSION_ENDED, retry_after_ms=0),
            '{"type":"goodbye","code":4102,"reason":"session ended; log in again","reconnect":true,"retry_after_ms":0}',
        ),
        (
            protocol.goodbye(Close.NOT_AUTHORISED, retry_after_ms=7),
            '{"type":"goodbye","code":4403,"reason":"you may not watch this tenant","reconnect":false,'
            '"retry_after_ms":7}',
        ),
    ],
)
def test_the_other_frames(frame, text):
    assert frame.text == text


def test_a_frame_knows_its_size_in_bytes_and_is_one_asgi_message():
    frame = protocol.frame({"name": "Zoë"})

    assert frame.message == {"type": "websocket.send", "text": '{"name":"Zoë"}'}
    assert frame.message is frame.message, "the same one for all who ask"
    assert frame.size == len(frame.text.encode()) == len(frame.text) + 1


@pytest.mark.parametrize("size", [2, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_is_ready_for_the_wire_as_a_library_would_make_it(size):
    frame = protocol.frame({"x": "y" * (size - 8)}) if size > 7 else protocol.frame({})

    assert frame.size == size
    assert frame.wire == websockets.frames.Frame(Opcode.TEXT, frame.text.encode()).serialize(mask=False)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00Z"),
        (datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC), "2026-03-01T12:00:00.000005Z"),
        (datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-02-28T23:00:00Z"),
    ],
)
def test_a_moment_is_spelt_in_utc(at, text):
    assert protocol.moment(at) == text
