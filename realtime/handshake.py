"""What a WebSocket handshake asks for, read strictly; and how one is refused."""

import re
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from realtime.addresses import Proxy, client_address
from realtime.protocol import VERSION

Send = Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]]
Receive = Callable[[], Coroutine[Any, Any, Mapping[str, Any]]]

TOKEN_NAMES = frozenset(
    {
        "token",
        "access_token",
        "access",
        "refresh",
        "refresh_token",
        "id_token",
        "jwt",
        "bearer",
        "auth",
        "authorization",
        "ticket",
    }
)
# Without the bound, an address of nothing but "eyJ" would be read to its end from each of them on.
LOOKS_LIKE_TOKEN = re.compile(r"eyJ[\w-]{0,512}+\.[\w-]++\.[\w-]*")
RETRY_AFTER_SECONDS = 5


class Turned(Exception):
    """A handshake that is refused, with the HTTP status and problem that say why."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: float = 0) -> None:
        super().__init__(detail)
        self.retry_after = ceil(retry_after) or RETRY_AFTER_SECONDS
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Handshake:
    """A well-formed handshake."""

    origins: tuple[str, ...]
    subprotocol: str | None
    token: str | None
    """The bearer token, if there is an Authorization header."""
    cursor: str | None


def read(scope: Mapping[str, Any]) -> Handshake:
    """Return what a handshake asks for; raises ``Turned`` for one that is not well-formed."""
    query = _query_of(scope)
    return Handshake(
        origins=_headers(scope, b"origin"),
        subprotocol=_subprotocol_of(scope),
        token=_token_of(scope),
        cursor=query.get("after"),
    )


def address_of(scope: Mapping[str, Any], trusted: tuple[Proxy, ...]) -> str | None:
    """Return the address of the client that makes a handshake, or None where there is none (a Unix socket)."""
    peer = (scope.get("client") or (None,))[0]
    return client_address(peer, _headers(scope, b"x-forwarded-for"), trusted)


async def turn_away(scope: Mapping[str, Any], send: Send, turned: Turned) -> None:
    """Refuse a handshake with a status and problem+json, or by closing where the server cannot answer."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4403})
        return
    problem = {
        "status": turned.status,
        "title": HTTPStatus(turned.status).phrase,
        "code": turned.code,
        "detail": turned.detail,
        "request_id": secrets.token_hex(16),
    }
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if turned.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers.append((b"retry-after", str(turned.retry_after).encode()))
    if turned.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="usher"'))
    await send({"type": "websocket.http.response.start", "status": turned.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def is_token_in_url(name: str, value: str) -> bool:
    """Tell whether a query parameter is called as a token may be, or looks like one: the same for REST and sockets."""
    return name.lower() in TOKEN_NAMES or any(LOOKS_LIKE_TOKEN.search(text) for text in (name, value))


def _headers(scope: Mapping[str, Any], name: bytes) -> tuple[str, ...]:
    return tuple(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _query_of(scope: Mapping[str, Any]) -> dict[str, str]:
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    # Addresses end up in logs, histories and referrers. Even a fine token is refused there, so that none is put there.
    if any(is_token_in_url(name, value) for name, value in pairs):
        raise Turned(400, "token_in_url", "a token in the address is never accepted; send it as Authorization: Bearer")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Turned(400, "bad_request", "a query parameter is there twice; expected each at most once")
    return dict(pairs)


def _subprotocol_of(scope: Mapping[str, Any]) -> str | None:
    offered = scope.get("subprotocols") or []
    if offered and VERSION not in offered:
        raise Turned(400, "unknown_version", f"none of the offered subprotocols is known; expected {VERSION} or none")
    return VERSION if offered else None


def _token_of(scope: Mapping[str, Any]) -> str | None:
    values = _headers(scope, b"authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    # Some servers hand two headers on as one, joined by a comma (RFC 9110 §5.3); no token has one.
    if len(values) > 1 or "," in token:
        raise Turned(400, "bad_request", "there are two Authorization headers; expected one")
    if scheme.lower() != "bearer" or not token.strip():
        raise Turned(401, "unauthenticated", "Authorization is not of the form 'Bearer <token>'")
    return token.strip()
