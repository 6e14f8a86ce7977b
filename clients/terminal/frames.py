"""What the server sends, parsed: bytes from the wire are nothing until they have become one of these."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

SUBPROTOCOL = "usher.v1"
PONG = '{"type":"pong"}'
USER_CREATED = "user.created"
EVENT_MEMBERS = {"id", "data", "redacted"}
DEFAULT_HEARTBEAT_SECONDS = 25.0
T = TypeVar("T")


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

    What has an id, data and redacted is an event, whatever its type: a new kind of event needs no new client.
    """
    try:
        content = _an(dict, json.loads(text, parse_constant=_no_json))
        kind = _an(str, content["type"])
        if content.keys() >= EVENT_MEMBERS:
            return _event(content)
        return _CONTROL[kind](content) if kind in _CONTROL else Other(kind)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFrame(f"a frame was not understood ({error!r}): {text[:80]!r}") from error


def auth_message(token: str) -> str:
    """Return the message that shows a token: first of all, or to renew it on an open socket."""
    return json.dumps({"type": "auth", "token": token})


def _event(content: Mapping[str, Any]) -> Event:
    return Event(
        type=content["type"],
        id=_an(str, content["id"]),
        # Of an event that a later version explains, only what makes it one is promised.
        at=str(content.get("at", "")),
        message=str(content.get("message", content["type"])),
        data=_an(dict, content["data"]),
        redacted=_texts(content["redacted"]),
    )


def _ready(content: Mapping[str, Any]) -> Ready:
    heartbeat = _an(dict, content.get("heartbeat", {}))
    every = _amount(heartbeat.get("every_seconds", DEFAULT_HEARTBEAT_SECONDS))
    # A ping may come late by its jitter; two in a row do not.
    silence = 2 * every + _amount(heartbeat.get("answer_within_seconds", 0))
    return Ready(
        tenant=_an(str, content["tenant"]),
        username=_an(str, _an(dict, content["user"])["username"]),
        silence_seconds=silence,
    )


def _goodbye(content: Mapping[str, Any]) -> Goodbye:
    return Goodbye(
        code=int(_amount(content["code"])),
        reason=_an(str, content["reason"]),
        retry_after_seconds=_amount(content.get("retry_after_ms") or 0) / 1000,
    )


def _synced(content: Mapping[str, Any]) -> Synced:
    return Synced(None if _an(bool, content["complete"]) else str(content.get("reason", "unknown")))


def _an(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r}; expected {kind.__name__}")
    return value


def _amount(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise TypeError(f"{value!r}; expected a number from 0 up")
    return float(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_an(str, item) for item in _an(list, value))


def _no_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_CONTROL: dict[str, Callable[[Mapping[str, Any]], Frame]] = {
    "ready": _ready,
    "synced": _synced,
    "rights.changed": lambda content: RightsChanged(_texts(content["permissions"])),
    "goodbye": _goodbye,
    "ping": lambda _: Ping(),
    "auth.expiring": lambda _: TokenExpiring(),
}
