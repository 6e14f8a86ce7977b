"""The wire protocol by itself: what is parsed, what is refused and in which words, and every frame to the byte."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import protocol
from realtime.protocol import Auth, Close, NotUnderstood, Pong

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
HIGHEST_OF_A_CLOSE_FRAME = 123


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"auth","token":"abc"}', Auth(token="abc")),
        ('{"token":"abc","type":"auth"}', Auth(token="abc")),
        (' {"type" : "pong"}\n', Pong()),
        ('{"\\u0074ype":"pong"}', Pong()),
        ('{"type":"auth","token":""}', Auth(token="")),
        ('{"type":"auth","token":"\\ud83d\\ude00"}', Auth(token="\N{GRINNING FACE}")),
        ('{"type":"auth","token":"a","token":"b"}', Auth(token="b")),
        (f'{{"type":"auth","token":"{"x" * (protocol.LONGEST_MESSAGE - 26)}"}}', Auth(token="x" * 8166)),
    ],
)
def test_what_a_client_may_say(text, message):
    assert protocol.parse(text) == message


BAD_MESSAGES = {
    "binary": (None, "binary frame; expected a text frame of JSON"),
    "nothing": ("", "Input data was truncated"),
    "no JSON": ("hello", "JSON is malformed: invalid character (byte 0)"),
    "single quotes": ("{'type':'pong'}", "JSON is malformed: object keys must be strings (byte 1)"),
    "a trailing comma": ('{"type":"pong",}', "JSON is malformed: trailing comma in object (byte 15)"),
    "half of it": ('{"type":"pong"', "Input data was truncated"),
    "two at once": ('{"type":"pong"}{"type":"pong"}', "JSON is malformed: trailing characters (byte 16)"),
    "a byte order mark": ('\ufeff{"type":"pong"}', "JSON is malformed: invalid character (byte 0)"),
    "a bare control character": ('{"type":"auth","token":"\x00"}', "JSON is malformed: invalid character (byte 24)"),
    "null": ("null", "Expected `object`, got `null`"),
    "a number": ("1", "Expected `object`, got `int`"),
    "a list": ('[{"type":"pong"}]', "Expected `object`, got `array`"),
    "a name": ('"pong"', "Expected `object`, got `str`"),
    "no type": ("{}", "Object missing required field `type`"),
    "another spelling of type": ('{"Type":"pong"}', "Object missing required field `type`"),
    "an unknown type": ('{"type":"subscribe"}', "Invalid value 'subscribe' - at `$.type`"),
    "another case of a type": ('{"type":"PONG"}', "Invalid value 'PONG' - at `$.type`"),
    "a type that is a number": ('{"type":1}', "Expected `str` - at `$.type`"),
    "a type that is a list": ('{"type":["auth"]}', "Expected `str` - at `$.type`"),
    "two types": ('{"type":"auth","type":"pong","token":"x"}', "Invalid value 'pong' - at `$.type`"),
    "no token": ('{"type":"auth"}', "Object missing required field `token`"),
    "a token that is null": ('{"type":"auth","token":null}', "Expected `str`, got `null` - at `$.token`"),
    "a token that is a number": ('{"type":"auth","token":7}', "Expected `str`, got `int` - at `$.token`"),
    "an unknown field": ('{"type":"pong","at":"now"}', "Object contains unknown field `at`"),
    "a server's frame": ('{"type":"ping"}', "Invalid value 'ping' - at `$.type`"),
    "NaN": ('{"type":"auth","token":NaN}', "JSON is malformed: invalid character (byte 23)"),
    "Infinity": ('{"type":"auth","token":-Infinity}', "JSON is malformed: invalid character (byte 24)"),
    "5000 digits": (f'{{"type":"auth","token":{"9" * 5000}}}', "Number out of range - at `$.token`"),
    "5000 digits of nothing known": (f'{{"type":"pong","n":{"9" * 5000}}}', "Object contains unknown field `n`"),
    "a huge exponent": ('{"type":"auth","token":1e999999}', "Number out of range - at `$.token`"),
    "depth before the type": (
        '{"x":' + "[" * 8000,
        "maximum recursion depth exceeded while deserializing an object",
    ),
    "depth of objects": ('{"x":' * 1600, "maximum recursion depth exceeded while deserializing an object"),
    "depth in place of a token": (
        '{"type":"auth","token":' + "[" * 8000,
        "Expected `str`, got `array` - at `$.token`",
    ),
    "half a surrogate pair": ('{"type":"auth","token":"\ud800"}', "text is not valid Unicode"),
    "half a surrogate pair, escaped": ('{"type":"auth","token":"\\ud800"}', "Input data was truncated"),
}


@pytest.mark.parametrize(("text", "detail"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_what_is_not_understood(text, detail):
    with pytest.raises(NotUnderstood) as refused:
        protocol.parse(text)

    assert (refused.value.close, str(refused.value)) == (Close.BAD_MESSAGE, detail)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("[" * 100_000, 100_000),
        (f'{{"type":"auth","token":"{"x" * (protocol.LONGEST_MESSAGE - 25)}"}}', 8193),
        ("é" * 4097, 8194),  # bytes count, not characters
        (" " * 8193, 8193),
    ],
)
def test_what_is_too_large(text, size):
    with pytest.raises(NotUnderstood, match=f"message has {size} bytes; expected at most 8192") as refused:
        protocol.parse(text)

    assert refused.value.close is Close.TOO_LARGE


@given(st.none() | st.text() | st.text(alphabet='{}[]":,\\u0d8typeauhoknpg 1e\ud800'))
def test_whatever_comes_parsing_answers_or_refuses(text):
    try:
        assert isinstance(protocol.parse(text), Auth | Pong)
    except NotUnderstood as refused:
        assert refused.close in {Close.BAD_MESSAGE, Close.TOO_LARGE}


@pytest.mark.parametrize("close", Close)
def test_a_close_code_is_in_a_range_that_says_what_to_do(close):
    assert close // 100 in {40, 41, 42, 44}
    assert close.may_reconnect == (close < 4400)
    assert 3000 <= close <= 4999, "daphne takes no others"


@pytest.mark.parametrize("close", Close)
def test_a_reason_fits_into_a_close_frame_and_says_the_way_out(close):
    assert 0 < len(close.reason.encode()) <= HIGHEST_OF_A_CLOSE_FRAME
    assert ("after=<last id>" in close.reason) == (4000 <= close < 4100 or close is Close.TOKEN_EXPIRED)


def test_the_codes_and_what_a_refused_handshake_says_instead():
    assert {int(close): close.problem for close in protocol.PROBLEMS} == {
        4000: (503, "draining"),
        4001: (503, "unavailable"),
        4101: (401, "token_expired"),
        4102: (401, "session_ended"),
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
    assert frame.size == len(frame.text.encode()) == len(frame.text) + 1


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
