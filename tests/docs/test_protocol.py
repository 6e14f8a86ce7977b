"""The protocol's page says what the code does: every frame, every table, every number."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from accounts.kinds import USER_CREATED
from accounts.models import JoinedVia
from accounts.permissions import FIRST_ROLES, OWNER, VIEWER
from accounts.sessions import LIFETIME
from config.env import PROJECT, Environment
from realtime import authentication, connection, cursors, draining, handshake, lifetime, protocol, routing, waiting
from realtime.kinds import declared
from realtime.projection import LoggedEvent, Projector
from realtime.protocol import Close
from realtime.serving.limits import Limits
from tests.docs.pages import examples, table, tables

PAGE = (PROJECT / "docs" / "protocol.md").read_text()
DEFAULTS = {name: field.default for name, field in Environment.model_fields.items()}
OF_OWNER, OF_VIEWER = (FIRST_ROLES[role] for role in (OWNER, VIEWER))


def seconds(moment: str) -> float:
    """Return a time of the wire as seconds since the epoch."""
    return datetime.fromisoformat(moment).timestamp()


def ready(shown: dict[str, Any]) -> protocol.Frame:
    """Return the frame that an owner would get, with the page's own ids and time."""
    return protocol.ready(
        session=shown["session"],
        user=shown["user"],
        tenant=shown["tenant"],
        permissions=OF_OWNER[0],
        fields={field.name: field.permission for field in USER_CREATED.fields},
        token_expires_at=seconds(shown["token_expires_at"]),
        heartbeat_seconds=DEFAULTS["heartbeat_seconds"],
        pong_seconds=DEFAULTS["pong_seconds"],
        limits={
            "message_bytes": protocol.LONGEST_MESSAGE,
            "resume_events": cursors.MOST_VISIBLE,
            "resume_days": cursors.KEPT.days,
        },
    )


def event_to(*permissions: str) -> Callable[[dict[str, Any]], protocol.Frame | None]:
    """Return what makes a frame of the whole event on the page, for a holder of these permissions."""
    (whole,) = (example.json for example in examples(PAGE, "json") if example.words == ("frame", "user.created"))
    logged = LoggedEvent(
        tenant_id=1,
        position=1,
        id=UUID(whole["id"]),
        kind=whole["type"],
        subject_id=UUID(whole["data"]["id"]),
        snapshot=whole["data"],
        at=datetime.fromisoformat(whole["at"]),
    )
    return lambda shown: Projector().frame_of(logged, frozenset(permissions), tenant=shown["tenant"])


FRAMES: dict[str, Callable[[dict[str, Any]], protocol.Frame | None]] = {
    "ready": ready,
    "user.created": event_to(*OF_OWNER[1]),
    "user.created masked": event_to(*OF_VIEWER[1]),
    "synced": lambda shown: protocol.synced(),
    "synced incomplete": lambda shown: protocol.synced(cursors.UNKNOWN),
    "rights.changed": lambda shown: protocol.rights_changed(OF_VIEWER[0]),
    "auth.expiring": lambda shown: protocol.auth_expiring(seconds(shown["token_expires_at"])),
    "auth.ok": lambda shown: protocol.auth_ok(seconds(shown["token_expires_at"])),
    "ping": lambda shown: protocol.PING,
    "goodbye": lambda shown: protocol.goodbye(Close.DRAIN, retry_after_ms=shown["retry_after_ms"]),
}


def shown(sort: str) -> dict[str, Any]:
    """Return the JSON examples of one sort: the words after it -> what they say."""
    return {" ".join(e.words[1:]): e.json for e in examples(PAGE, "json") if e.words[:1] == (sort,)}


def test_every_example_says_what_it_is_one_of():
    sorts = {example.words[0] if example.words else "" for example in examples(PAGE, "json")}

    assert sorts == {"frame", "says", "problem", "request", "answer"}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_on_the_page_is_the_one_that_is_sent(name):
    example = shown("frame")[name]

    sent = FRAMES[name](example)

    assert sent is not None
    assert json.dumps(json.loads(sent.text)) == json.dumps(example), "the same, and in the same order"


def test_every_frame_that_can_be_sent_is_on_the_page():
    built = set(re.findall(r'"type": "((?!websocket)[a-z.]+)"', inspect.getsource(protocol)))
    kinds = {kind.name for kind in declared()}

    assert {frame["type"] for frame in shown("frame").values()} == built | kinds
    assert shown("frame").keys() == FRAMES.keys()


def test_the_tables_of_members_have_what_the_frames_have():
    tables_of_members = [t for t in tables(PAGE) if t.columns == ("member", "type", "what it is")]
    seen = set()
    for found in tables_of_members:
        types = re.findall(r"`([a-z.]+)`", found.heading)
        members = {member for frame in shown("frame").values() if frame["type"] in types for member in _members(frame)}
        if types:
            seen |= set(types)
            assert {row[0] for row in found.rows} == members, found.heading

    with_members = {frame["type"] for frame in shown("frame").values() if len(frame) > 1}
    assert seen == with_members


def _members(frame: dict[str, Any]) -> set[str]:
    # What ``fields`` and ``data`` hold has a table of its own.
    nested = {name for name, value in frame.items() if isinstance(value, dict) and name not in ("fields", "data")}
    plain = set(frame) - nested - {"type"}
    return plain | {f"{name}.{member}" for name in nested for member in frame[name]}


def test_what_a_client_may_say_is_understood():
    assert {name: protocol.parse(json.dumps(message)) for name, message in shown("says").items()} == {
        "auth": protocol.Auth(token=shown("says")["auth"]["token"]),
        "pong": protocol.Pong(),
    }


def test_the_table_of_fields_is_the_declared_one():
    rows = table(PAGE, "field of data", "permission", "type", "what it is").rows

    assert [(name, permission) for name, permission, *_ in rows] == [
        (f.name, f.permission) for f in USER_CREATED.fields
    ]
    joined_via = next(row[3] for row in rows if row[0] == "joined_via")
    assert set(re.findall(r"[a-z]+", joined_via.partition(";")[0])) - {"or"} == set(JoinedVia.values)


def test_the_table_of_close_codes_is_complete():
    rows = table(PAGE, "code", "reason on the wire", "when").rows

    assert {int(code): reason for code, reason, _ in rows} == {int(close): close.reason for close in Close}


@pytest.mark.parametrize("close", Close)
def test_the_range_of_a_code_says_whether_to_come_back(close):
    assert close.may_reconnect is (close // 100 != 44)


def test_the_table_of_handshake_statuses_is_complete():
    rows = table(PAGE, "status", "code", "when", "what to do").rows
    literals = "".join(inspect.getsource(module) for module in (authentication, handshake, routing))
    turned = {(int(status), code) for status, code in re.findall(r'Turned\(\s*(\d+),\s*"(\w+)"', literals)}

    assert {(int(status), code) for status, code, *_ in rows if status.isdigit()} == turned | {
        *protocol.PROBLEMS.values()
    }


@pytest.mark.parametrize(
    ("status", "header"), [(401, b"www-authenticate"), (429, b"retry-after"), (503, b"retry-after")]
)
async def test_a_refused_handshake_looks_as_shown(status, header):
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    example = shown("problem")[""]
    turned = handshake.Turned(status, example["code"], example["detail"])
    await handshake.turn_away({"extensions": {"websocket.http.response": {}}}, send, turned)

    start, body = sent
    assert start["status"] == status
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert header in dict(start["headers"])
    problem = json.loads(body["body"])
    assert re.fullmatch(r"[0-9a-f]{32}", problem["request_id"])
    assert problem | {"request_id": example["request_id"], "status": 401} == example


def test_the_example_of_a_refused_handshake_is_a_real_one():
    example = shown("problem")[""]

    assert (example["status"], example["code"]) == Close.TOKEN_EXPIRED.problem
    assert example["detail"] == Close.TOKEN_EXPIRED.reason


NUMBERS = {
    "a client's message, bytes": protocol.LONGEST_MESSAGE,
    "a client's message before the server itself closes with 1009, bytes": Limits().message_bytes,
    "time for the first message, seconds": DEFAULTS["auth_seconds"],
    "sockets that wait for it, per address": waiting.MOST_PER_ADDRESS,
    "sockets that wait for it, per process": waiting.MOST,
    f"between pings, seconds (±{lifetime.JITTER:.0%})".replace("%", " %"): DEFAULTS["heartbeat_seconds"],
    "for an answer to a ping, seconds": DEFAULTS["pong_seconds"],
    "a reader that takes nothing, seconds": connection.STALL_SECONDS,
    "auth.expiring before the token's end, seconds": lifetime.REMINDER_SECONDS,
    "life of an access token, seconds": DEFAULTS["access_seconds"],
    "life of a session, days": LIFETIME.days,
    "visible events that are replayed at most": cursors.MOST_VISIBLE,
    "age of a cursor, days": cursors.KEPT.days,
    "Retry-After of a refused handshake, seconds": handshake.RETRY_AFTER_SECONDS,
    "retry_after_ms while serving, at most": connection.RETRY_SPREAD_MS,
    "retry_after_ms when a server goes away, at most": draining.SPREAD_SECONDS * 1000,
}


def test_the_table_of_limits_has_the_numbers_of_the_code():
    assert {what: float(value) for what, value in table(PAGE, "what", "value").rows} == NUMBERS


def test_the_path_on_the_page_is_where_sockets_live():
    assert f"`GET {routing.PATH}`" in PAGE
    assert f"`{protocol.VERSION}`" in PAGE
