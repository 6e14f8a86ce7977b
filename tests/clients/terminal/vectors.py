"""The vectors of clients/conformance, and what the watching client makes of them; see docs/conformance.md."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clients.terminal.frames import (
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
from clients.terminal.verdicts import Verdict
from config.env import PROJECT

VERDICTS = {
    "come_back": Verdict.COME_BACK,
    "renew": Verdict.RENEW,
    "wait": Verdict.WAIT,
    "stop": Verdict.STOP,
}
KINDS: dict[type, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    Ready: ("ready", lambda f: {"tenant": f.tenant, "silence": f.silence_seconds, "username": f.username}),
    Event: ("event", lambda f: {"type": f.type, "id": f.id, "data": f.data, "redacted": list(f.redacted)}),
    Synced: ("synced", lambda f: {"complete": f.reason is None, "reason": f.reason}),
    RightsChanged: ("rights.changed", lambda f: {"permissions": list(f.permissions)}),
    Goodbye: (
        "goodbye",
        lambda f: {"code": f.code, "reason": f.reason, "retry_after_ms": f.retry_after_seconds * 1000},
    ),
    Ping: ("ping", lambda _: {}),
    TokenExpiring: ("auth.expiring", lambda _: {}),
    Other: ("unknown", lambda _: {}),
}


def vectors(name: str) -> Any:
    """Return a file of vectors."""
    return json.loads((PROJECT / "clients" / "conformance" / f"{name}.json").read_text())


def told_by(text: str) -> tuple[str, dict[str, Any]]:
    """Return what kind of frame a text is to the watching client, and what it goes by; raises ``BadFrame``."""
    frame = parse_frame(text)
    kind, members = KINDS[type(frame)]
    return kind, members(frame)


def expected_of(case: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a case has to say of the members that the watching client goes by."""
    members = dict(case.get("members", {}))
    if "heartbeat" in members:
        beat = members["heartbeat"]
        members["silence"] = 2 * beat["every_seconds"] + beat["answer_within_seconds"]
    if "user" in members:
        members["username"] = members["user"]["username"]
    return {name: value for name, value in members.items() if name in told}


def each(ranges: list[Mapping[str, Any]]) -> Iterator[tuple[int, Verdict]]:
    """Yield each number of the ranges, with its verdict."""
    for part in ranges:
        for number in range(part["from"], part["to"] + 1):
            yield number, VERDICTS[part["verdict"]]
