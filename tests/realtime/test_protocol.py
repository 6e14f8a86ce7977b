"""What a client may say, and everything else: refused, in which words, and never by another exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import protocol
from realtime.protocol import Auth, Close, NotUnderstood, Pong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"auth","token":"abc"}', Auth(token="abc")),
        ('{"token":"abc","type":"auth"}', Auth(token="abc")),
        (' {"type" : "pong"}\n', Pong()),
        ('{"\\u0074ype":"pong"}', Pong()),
        ('{"type":"auth","token":""}', Auth(token="")),
        ('{"type":"auth","token":"\\ud83d\\ude00"}', Auth(token="\N{GRINNING FACE}")),
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
    "a member twice": ('{"type":"auth","token":"a","token":"b"}', "a member is there twice; expected each once"),
    "a member twice, once escaped": (
        '{"type":"pong","\\u0074ype":"pong"}',
        "a member is there twice; expected each once",
    ),
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
