"""
The wire protocol, pure: frames, close codes, encoding and parsing. docs/protocol.md is its normative text.

This module imports no framework, so that another transport, a test or a tool can use it as it is.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import msgspec

from realtime.framing import header_of

VERSION = "usher.v1"
FIRST_TO_RENEW, FIRST_TO_WAIT = 4100, 4200
FIRST_FINAL = 4400
"""From this close code on a client must not come back."""
LONGEST_MESSAGE = 8 * 1024
"""Bytes of a client's message, at most."""


class Close(IntEnum):
    """
    Why the server closes. The range is the verdict: 40xx come back and resume, 41xx renew the token first, 42xx wait,
    44xx stop.
    """

    DRAIN = 4000
    SERVER_ERROR = 4001
    SLOW_CONSUMER = 4002
    NO_PONG = 4003
    RESYNC = 4004
    TOKEN_EXPIRED = 4101
    SESSION_ENDED = 4102
    TENANT_LIMIT = 4200
    USER_LIMIT = 4201
    RATE = 4202
    NODE_FULL = 4203
    TENANT_SUSPENDED = 4204
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    NOT_AUTHORISED = 4403
    NO_AUTH_IN_TIME = 4408
    TOO_LARGE = 4413

    @property
    def reason(self) -> str:
        """The words that go with the code, on the close frame and in ``goodbye`` (a close frame takes 123 bytes)."""
        return REASONS[self]

    @property
    def may_reconnect(self) -> bool:
        """Whether a client should come back at all."""
        return self < FIRST_FINAL

    @property
    def is_to_be_spread(self) -> bool:
        """Whether many may be closed like this at once and come straight back (41xx fetch a token first)."""
        return self < FIRST_TO_RENEW or FIRST_TO_WAIT <= self < FIRST_FINAL

    @property
    def retry_after_seconds(self) -> int:
        """How long a client should wait at least, if it may come back; what comes back at once is spread besides."""
        return WAITS.get(self, 0)

    @property
    def problem(self) -> tuple[int, str]:
        """The HTTP status and problem code that say the same in a refused handshake."""
        return PROBLEMS[self]


REASONS: Mapping[Close, str] = {
    Close.DRAIN: "this server is going away; reconnect with after=<last id>",
    Close.SERVER_ERROR: "the server failed; reconnect with after=<last id>",
    Close.SLOW_CONSUMER: "nothing was read for too long; reconnect with after=<last id>",
    Close.NO_PONG: "a ping was not answered; reconnect with after=<last id>",
    Close.RESYNC: "the server lost its place; reconnect with after=<last id>",
    Close.TOKEN_EXPIRED: "token expired; get a new one and reconnect with after=<last id>",
    Close.SESSION_ENDED: "session ended; log in again",
    Close.TENANT_LIMIT: "your tenant has as many sockets open as it may; try again later",
    Close.USER_LIMIT: "you have as many sockets open as you may; close one first",
    Close.RATE: "too much too fast; slow down",
    Close.NODE_FULL: "this server has as many sockets open as it may; try again soon",
    Close.TENANT_SUSPENDED: "tenant suspended; try again later",
    Close.BAD_MESSAGE: "message not understood; see the protocol page for what may be sent",
    Close.UNAUTHENTICATED: "token not accepted; log in again",
    Close.NOT_AUTHORISED: "you may not watch this tenant",
    Close.NO_AUTH_IN_TIME: "no auth message came in time; send one first",
    Close.TOO_LARGE: "message too large; 8192 bytes are the most",
}

WAITS: Mapping[Close, int] = {
    Close.TENANT_LIMIT: 30,
    Close.USER_LIMIT: 30,
    Close.RATE: 10,
    Close.NODE_FULL: 10,
    Close.TENANT_SUSPENDED: 60,
}
"""Seconds. What lasts is not shortened by asking every second."""

PROBLEMS: Mapping[Close, tuple[int, str]] = {
    Close.DRAIN: (503, "draining"),
    Close.SERVER_ERROR: (503, "unavailable"),
    Close.TOKEN_EXPIRED: (401, "token_expired"),
    Close.SESSION_ENDED: (401, "session_ended"),
    Close.TENANT_LIMIT: (429, "tenant_limit"),
    Close.USER_LIMIT: (429, "user_limit"),
    Close.RATE: (429, "rate"),
    Close.NODE_FULL: (503, "node_full"),
    Close.TENANT_SUSPENDED: (503, "tenant_suspended"),
    Close.BAD_MESSAGE: (400, "bad_request"),
    Close.UNAUTHENTICATED: (401, "unauthenticated"),
    Close.NOT_AUTHORISED: (403, "not_authorised"),
}


class Auth(msgspec.Struct, tag_field="type", tag="auth", forbid_unknown_fields=True, frozen=True):
    """A client shows its token: first of all on a socket that came without one, or to renew it later."""

    token: str


class Pong(msgspec.Struct, tag_field="type", tag="pong", forbid_unknown_fields=True, frozen=True):
    """A client answers a ping."""


class NotUnderstood(ValueError):
    """A message that the protocol does not know; ``close`` is the verdict."""

    def __init__(self, close: Close, detail: str) -> None:
        super().__init__(detail)
        self.close = close


PONG = Pong()
PONG_TEXT = '{"type":"pong"}'

_decoder: msgspec.json.Decoder[Auth | Pong] = msgspec.json.Decoder(Auth | Pong)
json_of = msgspec.json.Encoder().encode
"""Encodes whatever goes to a client: nothing else does."""


def parse(text: str | None) -> Auth | Pong:
    """Return a client's message; raises ``NotUnderstood`` (binary frames come as None) and nothing else."""
    if text == PONG_TEXT:  # as nearly all of them are; each socket says so every half minute
        return PONG
    if text is None:
        raise NotUnderstood(Close.BAD_MESSAGE, "binary frame; expected a text frame of JSON")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise NotUnderstood(Close.BAD_MESSAGE, "text is not valid Unicode") from None
    if len(data) > LONGEST_MESSAGE:
        raise NotUnderstood(Close.TOO_LARGE, f"message has {len(data)} bytes; expected at most {LONGEST_MESSAGE}")
    try:
        message = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood(Close.BAD_MESSAGE, str(error)) from None
    # The decoder takes the last of two equal members; a filter in front of us may have looked at the first. What it has
    # let through is one flat object of strings, so this second reading can neither fail nor be deep.
    members = json.loads(data, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    if len(set(members)) != len(members):
        raise NotUnderstood(Close.BAD_MESSAGE, "a member is there twice; expected each once")
    return message


class Frame(msgspec.Struct, eq=False):
    """A server's frame, ready to be sent to any number of sockets: one object, and what it says is never changed."""

    wire: bytes
    """As it goes over a WebSocket, header and payload, for servers that take it like that."""
    size: int
    """Bytes of payload."""
    _message: Mapping[str, Any] | None = None

    @property
    def message(self) -> Mapping[str, Any]:
        """The ASGI message that carries it: the same one for all who ask, and none where nobody does."""
        if self._message is None:
            self._message = {"type": "websocket.send", "text": self.text}
        return self._message

    @property
    def text(self) -> str:
        """The frame's JSON."""
        return self.wire[len(self.wire) - self.size :].decode()


def frame(content: Mapping[str, Any]) -> Frame:
    """Return the frame that carries ``content``."""
    return framed(json_of(content))


def framed(text: bytes) -> Frame:
    """Return the frame that carries a JSON text."""
    size = len(text)
    return Frame(header_of(size) + text, size)


def moment(at: datetime) -> str:
    """Return a time as the wire spells it: RFC 3339, UTC, with Z."""
    return json_of(at.astimezone(UTC))[1:-1].decode()


def ready(  # noqa: PLR0913  all that the frame says, by name
    *,
    session: str,
    user: Mapping[str, str],
    tenant: str,
    permissions: Iterable[str],
    fields: Mapping[str, str],
    token_expires_at: float,
    heartbeat_seconds: float,
    pong_seconds: float,
    limits: Mapping[str, int],
) -> Frame:
    """Return the first frame of an admitted socket. ``fields`` maps each field to the permission that shows it."""
    return frame(
        {
            "type": "ready",
            "version": VERSION,
            "session": session,
            "user": user,
            "tenant": tenant,
            "permissions": sorted(permissions),
            "fields": fields,
            "token_expires_at": moment(datetime.fromtimestamp(token_expires_at, UTC)),
            "heartbeat": {"every_seconds": heartbeat_seconds, "answer_within_seconds": pong_seconds},
            "limits": limits,
        }
    )


def synced(reason: str | None = None) -> Frame:
    """Return the frame that says: caught up. A reason (``unknown_cursor``, ``too_many``) says: not completely."""
    return frame(
        {"type": "synced", "complete": True}
        if reason is None
        else {"type": "synced", "complete": False, "reason": reason}
    )


def rights_changed(permissions: Iterable[str]) -> Frame:
    """Return the frame that tells a viewer that what he may see or do has changed; ``permissions`` are his now."""
    return frame({"type": "rights.changed", "permissions": sorted(permissions)})


def auth_ok(expires_at: float) -> Frame:
    """Return the answer to a renewed token."""
    return frame({"type": "auth.ok", "token_expires_at": moment(datetime.fromtimestamp(expires_at, UTC))})


def auth_expiring(expires_at: float) -> Frame:
    """Return the reminder that the token ends soon."""
    return frame({"type": "auth.expiring", "token_expires_at": moment(datetime.fromtimestamp(expires_at, UTC))})


def goodbye(close: Close, *, retry_after_ms: int) -> Frame:
    """Return the last frame before the server closes."""
    return frame(
        {
            "type": "goodbye",
            "code": int(close),
            "reason": close.reason,
            "reconnect": close.may_reconnect,
            "retry_after_ms": retry_after_ms,
        }
    )


PING = frame({"type": "ping"})
