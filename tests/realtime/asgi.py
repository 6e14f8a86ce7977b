"""A WebSocket client at the level of ASGI: it says what it likes, and keeps every message of the application."""

import asyncio
import json
import math
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta

from django.utils import timezone

from accounts import tokens
from tests.realtime.house import LONG, make_session, make_tenant, make_user
from tests.realtime.transport import texts_in

PATH = "/ws/user_notifications/"


class Visitor:
    """One connection to an application. Names of ASGI messages are without their ``websocket.``"""

    def __init__(
        self,
        application,
        *,
        headers=(),
        path=PATH,
        query="",
        subprotocols=(),
        address="192.0.2.7",
        has_lane=False,
        abort=lambda: None,
        takes=math.inf,
    ):
        """``takes``: so many messages, and no more: what sends another one waits."""
        self.said = asyncio.Queue()
        self._takes = takes
        self.heard = []
        self.by_lane = []
        self._changed = asyncio.Event()
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "subprotocols": list(subprotocols),
            "client": (address, 4711),
            "extensions": {"websocket.http.response": {}},
        }
        if has_lane:
            lane = {"abort": abort, "write": self._hear_by_lane, "when_written": lambda tell: None}
            scope["extensions"]["usher.transport"] = lane
        self.say("connect")
        self._task = asyncio.create_task(application(scope, self.said.get, self._hear))
        self._task.add_done_callback(lambda _: self._changed.set())

    async def _hear(self, message):
        if len(self.heard) >= self._takes:
            await asyncio.Event().wait()
        self.heard.append(message)
        self._changed.set()

    def _hear_by_lane(self, frames):
        texts = texts_in(frames)
        self.by_lane += [json.loads(text)["type"] for text in texts]
        self.heard += [{"type": "websocket.send", "text": text} for text in texts]
        self._changed.set()
        return True

    def say(self, kind, **message):
        """Send an ASGI message."""
        self.said.put_nowait({"type": f"websocket.{kind}", **message})

    def write(self, content):
        """Send a text frame: a text as it is, anything else as JSON."""
        self.say("receive", text=content if isinstance(content, str) else json.dumps(content))

    def authenticate(self, session):
        """Show a session's token."""
        self.write({"type": "auth", "token": access_of(session)})

    async def until(self, holds):
        """Wait until something holds, which then is returned."""
        async with asyncio.timeout(LONG):
            while not (answer := holds(self)):
                self._changed.clear()
                await self._changed.wait()
        return answer

    async def accepted(self):
        """Wait until the handshake is accepted; return the message."""
        await self.until(lambda v: v.heard or v.has_ended)
        assert self.heard[0]["type"] == "websocket.accept", self.heard
        return self.heard[0]

    async def refused(self):
        """Wait until the handshake is refused, and nothing else; return status, code and headers."""
        await self.end()
        start, body = self.heard
        assert start["type"] == "websocket.http.response.start"
        return start["status"], json.loads(body["body"])["code"], dict(start["headers"])

    async def closed(self):
        """Wait until an accepted socket is closed; return the code, having checked the goodbye before it."""
        close = await self.until(lambda v: v.heard and v.heard[-1]["type"] == "websocket.close" and v.heard[-1])
        goodbye = self.frames[-1]
        assert (goodbye["type"], goodbye["code"], goodbye["reason"]) == ("goodbye", close["code"], close["reason"])
        return close["code"]

    @property
    def frames(self):
        """The contents of the frames that came."""
        return [json.loads(message["text"]) for message in self.heard if message["type"] == "websocket.send"]

    @property
    def kinds(self):
        """The types of the frames that came, and how often each did."""
        return Counter(frame["type"] for frame in self.frames)

    @property
    def has_ended(self):
        """Whether the application has returned."""
        return self._task.done()

    async def end(self):
        """Wait until the application has returned; raises what it raised."""
        async with asyncio.timeout(LONG):
            await self._task

    async def leave(self):
        """Go away."""
        self.say("disconnect", code=1001)
        await self.end()


@asynccontextmanager
async def visits(application):
    """Give a function that makes visitors; all of them leave in the end."""
    visitors = []

    def visit(**more):
        visitors.append(Visitor(application, **more))
        return visitors[-1]

    try:
        yield visit
    finally:
        for visitor in visitors:
            await visitor.leave()


def bearer(token):
    """Return the headers of a client that can set them."""
    return [("authorization", f"Bearer {token}")]


def access_of(session):
    """Return an access token of a session."""
    return tokens.pair_of(session).access


def expired_access_of(session):
    """Return an access token of a session that has ended an hour ago."""
    session.refreshed_at = timezone.now() - timedelta(hours=2)
    return tokens.pair_of(session).access


def refresh_of(session):
    """Return a refresh token of a session."""
    return tokens.pair_of(session).refresh


def session_of(tenant, username, role):
    """Return a session of a new user."""
    return make_session(make_user(tenant, username, role))


class Inside:
    """The application behind the middleware: it notes who is let in, and waits until they leave."""

    def __init__(self):
        self.scopes = []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        while (await receive())["type"] != "websocket.disconnect":
            pass


class World:
    """Alice of acme with a session, and sockets."""

    def __init__(self, home, visit):
        self.home = home
        self.visit = visit

    async def begin(self):
        self.acme = await self.home.write(make_tenant, "acme")
        self.alice = await self.home.write(session_of, self.acme, "alice", "owner")

    async def socket(self, session=None, **more):
        """Connect and wait until caught up."""
        visitor = self.visit(headers=bearer(access_of(session or self.alice)), **more)
        await visitor.until(lambda v: v.kinds["synced"])
        return visitor

    async def dave(self, socket, name="dave"):
        """Create Dave, and wait until a socket has heard of him."""
        await self.home.write(make_user, self.acme, name)
        await socket.until(lambda v: any(f.get("message") == f"New user created: {name}" for f in v.frames))
