"""What the server sends, parsed: bytes from the wire are nothing until they have become one of these."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SUBPROTOCOL = "usher.v1"
PONG = '{"type":"pong"}'
USER_CREATED = "user.created"
DEFAULT_HEARTBEAT_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has let us in. ``silence_seconds`` is how long a living server stays silent at most."""

    tenant: str
    username: str
    silence_seconds: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the fields that this viewer may see."""

    type: str
    id: str
    at: str
    message: str
    data: Mapping[str, Any]
    redacted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synced:
    """Caught up; a ``reason`` says that not everything could be replayed."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """What we may see or do has changed."""

    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The server is about to close, and why."""

    code: int
    reason: str
    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class Ping:
    """The server asks whether we are still here."""


@dataclass(frozen=True, slots=True)
class TokenExpiring:
    """The token ends soon."""


@dataclass(frozen=True, slots=True)
class Other:
    """A frame that needs nothing from this client, or that a later version of the protocol will explain."""

    type: str


Frame = Ready | Event | Synced | RightsChanged | Goodbye | Ping | TokenExpiring | Other


class BadFrame(ValueError):
    """Something that is no frame of this protocol."""


def parse_frame(text: str | bytes) -> Frame:
    """
    Return the frame that ``text`` holds; raises ``BadFrame``.

    What has an id and data is an event, whatever its type: a new kind of event needs no new client.
    """
    try:
        content = json.loads(text)
        kind = content["type"]
        if "id" in content and "data" in content:
            return _event(content)
        return _CONTROL[kind](content) if kind in _CONTROL else Other(str(kind))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadFrame(f"a frame was not understood ({error!r}): {text[:80]!r}") from error


def auth_message(token: str) -> str:
    """Return the message that shows a token: first of all, or to renew it on an open socket."""
    return json.dumps({"type": "auth", "token": token})


def _event(content: Mapping[str, Any]) -> Event:
    return Event(
        type=str(content["type"]),
        id=str(content["id"]),
        at=str(content["at"]),
        message=str(content["message"]),
        data=dict(content["data"]),
        redacted=tuple(content["redacted"]),
    )


def _ready(content: Mapping[str, Any]) -> Ready:
    heartbeat = content.get("heartbeat", {})
    every = float(heartbeat.get("every_seconds", DEFAULT_HEARTBEAT_SECONDS))
    # A ping may come late by its jitter; two in a row do not.
    silence = 2 * every + float(heartbeat.get("answer_within_seconds", 0))
    return Ready(tenant=content["tenant"], username=content["user"]["username"], silence_seconds=silence)


_CONTROL: dict[str, Callable[[Mapping[str, Any]], Frame]] = {
    "ready": _ready,
    "synced": lambda content: Synced(None if content["complete"] else str(content.get("reason", "unknown"))),
    "rights.changed": lambda content: RightsChanged(tuple(content["permissions"])),
    "goodbye": lambda content: Goodbye(
        code=int(content["code"]),
        reason=str(content["reason"]),
        retry_after_seconds=(content.get("retry_after_ms") or 0) / 1000,
    ),
    "ping": lambda _: Ping(),
    "auth.expiring": lambda _: TokenExpiring(),
}
