"""Frames, parsed."""

import json

import pytest

from clients.terminal.frames import (
    BadFrame,
    Event,
    Goodbye,
    Other,
    Ping,
    Ready,
    RightsChanged,
    Synced,
    TokenExpiring,
    parse_frame,
)
from realtime import protocol
from tests.clients.terminal.scripted import created


@pytest.mark.parametrize(
    ("frame", "parsed"),
    [
        (protocol.PING, Ping()),
        (protocol.synced(), Synced(None)),
        (protocol.synced("too_many"), Synced("too_many")),
        (protocol.rights_changed({"watch_signups", "manage_users"}), RightsChanged(("manage_users", "watch_signups"))),
        (protocol.auth_expiring(0.0), TokenExpiring()),
        (protocol.auth_ok(0.0), Other("auth.ok")),
        (
            protocol.goodbye(protocol.Close.DRAIN, retry_after_ms=1500),
            Goodbye(4000, protocol.Close.DRAIN.reason, 1.5),
        ),
        (
            protocol.ready(
                session="s",
                user={"id": "u", "username": "alice"},
                tenant="acme",
                permissions=["watch_signups"],
                fields={},
                token_expires_at=0.0,
                heartbeat_seconds=25,
                pong_seconds=10,
                limits={},
            ),
            Ready("acme", "alice", 60.0),
        ),
    ],
)
def test_what_the_server_makes_is_what_the_client_reads(frame, parsed):
    assert parse_frame(frame.text) == parsed


def test_an_event_keeps_its_fields_in_order():
    event = parse_frame(json.dumps(created("dave", "e1", redacted=["email", "phone"], full_name=None)))

    assert event == Event(
        type="user.created",
        id="e1",
        at="2026-11-23T01:02:03.000004Z",
        message="New user created: dave",
        data={"id": "user-dave", "username": "dave", "full_name": None},
        redacted=("email", "phone"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"type":"synced"}',
        '{"type":"x","id":"1","data":{},"redacted":7}',
        "[" * 100_000,
    ],
)
def test_what_is_no_frame_is_refused_and_not_an_accident(text):
    with pytest.raises(BadFrame):
        parse_frame(text)
