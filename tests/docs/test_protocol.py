"""The frames on the protocol's page are those that the code makes, to the last member and in the same order."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from accounts.kinds import USER_CREATED
from accounts.permissions import FIRST_ROLES, OWNER, VIEWER
from config.env import PROJECT, Environment
from realtime import cursors, protocol
from realtime.kinds import declared
from realtime.projection import LoggedEvent, Projector
from realtime.protocol import Close
from tenants.models import Tenant
from tests.docs.pages import examples, tables

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
            "resume_days": Tenant._meta.get_field("retention_days").default,
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
    return lambda shown: Projector().of(logged, tenant=shown["tenant"]).frame_to(frozenset(permissions))


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
