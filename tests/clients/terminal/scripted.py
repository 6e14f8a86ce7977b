"""
A server that speaks the protocol and does what a test tells it, for what the real one cannot be made to do at will.

It is served by a real uvicorn over real TCP: the client under test cannot tell.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import uvicorn

TENANT, USERNAME = "acme", "alice"

Script = Callable[["Peer"], Awaitable[None]]
Answer = tuple[int, dict[str, str], Any]


class Peer:
    """The server's end of one connection. A script that returns leaves the socket open until the client closes it."""

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        self.token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        self._receive, self._send = receive, send

    async def accept(self) -> None:
        """Let the socket open."""
        await self._send({"type": "websocket.accept", "subprotocol": "usher.v1"})

    async def admit(self, *, heartbeat: float = 25) -> None:
        """Accept, and send ``ready``."""
        await self.accept()
        await self.ready(heartbeat)

    async def ready(self, every_seconds: float = 25, answer_within_seconds: float = 0) -> None:
        """Send ``ready``."""
        await self.send(
            type="ready",
            version="usher.v1",
            tenant=TENANT,
            user={"id": str(uuid4()), "username": USERNAME},
            permissions=["watch_signups"],
            fields={},
            heartbeat={"every_seconds": every_seconds, "answer_within_seconds": answer_within_seconds},
        )

    async def refuse(self, status: int, code: str = "", **headers: str) -> None:
        """Refuse the handshake with an HTTP status."""
        fields = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "websocket.http.response.start", "status": status, "headers": fields})
        body = json.dumps({"code": code}).encode() if code else b""
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        """Send a message, whether it is a frame or not."""
        await self._send({"type": "websocket.send", "text": text})

    async def receive(self) -> dict[str, Any]:
        """Return the client's next message; raises ``ConnectionResetError`` once it has gone."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise ConnectionResetError
        content: dict[str, Any] = json.loads(message["text"])
        return content

    async def close(self, code: int, reason: str = "") -> None:
        """Close the socket."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def drop(self) -> None:
        """Break the line, without a close frame: past ASGI, which has no word for it."""
        self._send.__self__.transport.abort()

    async def until_gone(self) -> None:
        """Wait for the client to go."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass


@dataclass
class ScriptedServer:
    """The scripts of the connections to come, the answers of REST, and what was asked."""

    scripts: list[Script] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    expires_in: float = 300
    address: str = ""
    minted: int = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Be an ASGI application."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
            return
        await receive()
        peer = Peer(scope, receive, send)
        self.peers.append(peer)
        try:
            await self.scripts[len(self.peers) - 1](peer)
            await peer.until_gone()
        except ConnectionResetError:
            pass

    async def _http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        self.requests.append((scope["path"], json.loads(body or b"null")))
        status, headers, content = self._answer(scope["path"])
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if content is None else json.dumps(content).encode()})

    def _answer(self, path: str) -> Answer:
        if self.answers.get(path):
            return self.answers[path].pop(0)
        if path == "/api/v1/users":
            return 200, {}, {"results": self.users, "next": None, "previous": None}
        if path.startswith("/api/v1/auth/token"):
            self.minted += 1
            tokens = {"access": f"access-{self.minted}", "refresh": f"refresh-{self.minted}"}
            return 200, {}, tokens | {"expires_in": self.expires_in}
        return 204, {}, None


def refusal(status: int, code: str, detail: str, **headers: str) -> Answer:
    """Return an answer of REST that says no."""
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, {"code": code, "detail": detail}


def created(username: str, identity: str = "", *, redacted: Sequence[str] = (), **data: Any) -> dict[str, Any]:
    """Return the frame about a new user."""
    return {
        "type": "user.created",
        "id": identity or f"event-of-{username}",
        "tenant": TENANT,
        "at": "2026-11-23T01:02:03.000004Z",
        "message": f"New user created: {username}",
        "data": {"id": f"user-{username}", "username": username, **data},
        "redacted": list(redacted),
    }


@asynccontextmanager
async def serving(server: ScriptedServer) -> AsyncIterator[ScriptedServer]:
    """Serve on a free port of this machine."""
    config = uvicorn.Config(
        server, ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    uvicorn_server = uvicorn.Server(config)
    # It listens already: whoever comes before uvicorn has started waits in the backlog.
    listener = socket.create_server(("127.0.0.1", 0))
    server.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(uvicorn_server.serve(sockets=[listener]))
    try:
        yield server
    finally:
        uvicorn_server.should_exit = True
        await task
