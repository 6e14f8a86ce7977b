"""Sockets under uvicorn in this process, and an application that writes straight in every turn of the loop."""

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from realtime.outlets import outlet_of
from realtime.serving import uvicorn as on_uvicorn
from realtime.serving.limits import Limits
from realtime.serving.uvicorn_request import HttpConnection
from realtime.serving.uvicorn_socket import Socket

EVENT = b"\x81\x05event"
PATIENCE = 20
GOODBYE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)
PING, PONG = Frame(Opcode.PING, b"").serialize(mask=True), b"\x8a\x00"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: usher.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Application:
    """One that is accepted, and then writes straight in every turn of the loop for as long as it may."""

    def __init__(self, unread=0):
        self.unread = unread
        self.take = None
        self.ended = 0
        self.taken = 0
        self.accepted = asyncio.Event()
        self.leaves = asyncio.Event()

    async def __call__(self, scope, receive, send):
        await receive()
        if scope["type"] == "http":
            headers = [(b"content-length", b"%d" % self.unread)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"u" * self.unread})
            return
        await send({"type": "websocket.accept"})
        self.scope, self.send, self.lane = scope, send, scope["extensions"]["usher.transport"]
        self.lane["when_written"](lambda: None)
        self.accepted.set()
        await self.leaves.wait()

    def go_straight(self):
        """Begin, or return False."""
        self.take = self.lane["straight"](self._go_around)
        return self.take is not None

    def _go_around(self):
        self.ended += 1
        self.take = None

    def write(self):
        """Write an event, and again in the next turn."""
        if self.take is not None:
            with contextlib.suppress(OSError):
                self.taken += self.take(EVENT) == len(EVENT)
            asyncio.get_running_loop().call_soon(self.write)


class Pair:
    """A socket under uvicorn, in this process, and its client, who reads what the test has it read."""

    def __init__(self, application, ours, theirs):
        self.application = application
        self.ours = ours
        self.theirs = theirs
        self.answers = False

    def outlet(self):
        """Return the way out that a connection has."""
        return outlet_of(self.application.scope, self.application.send, fast_lane="on")

    def say(self, frames):
        """Send frames as the client."""
        self.theirs.send(frames)

    async def read(self, size=65_536):
        """Read as the client; nothing at the end."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().sock_recv(self.theirs, size)

    async def frames_to_the_end(self, came=b""):
        """Read to the end, answer a close that waits for it, and return the frames."""
        frames = []
        while data := await self.read():
            came += data
            while len(came) >= 2 and len(came) >= 2 + came[1]:
                frames.append(came[: 2 + came[1]])
                came = came[2 + came[1] :]
                if frames[-1][0] == 0x88 and self.answers:
                    self.say(GOODBYE)
        assert not came, "the last frame is torn"
        return frames


@asynccontextmanager
async def pairs():
    """Give a function that opens a socket, handshake and all; in the end all of them are over."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as opened:

        async def open_pair(*, unread=0):
            """Open one; with ``unread`` bytes of an answer from before the handshake, which then waits for them."""
            application = Application(unread)
            config = on_uvicorn.Config(application, Limits())
            with socket.create_server(("127.0.0.1", 0)) as listening:
                theirs = opened.enter_context(socket.create_connection(listening.getsockname()))
                accepted, _ = listening.accept()
            theirs.setblocking(False)
            kind = HttpConnection if unread else Socket
            _, ours = await loop.connect_accepted_socket(lambda: kind(config, ServerState(), {}, loop), accepted)
            opened.push_async_callback(over, ours)
            opened.callback(application.leaves.set)
            pair = Pair(application, ours, theirs)
            if unread:
                pair.say(b"GET / HTTP/1.1\r\nHost: usher.test\r\n\r\n" + HANDSHAKE)
                return pair
            pair.say(HANDSHAKE)
            async with asyncio.timeout(PATIENCE):
                await application.accepted.wait()
            assert (await pair.read()).startswith(b"HTTP/1.1 101")
            return pair

        yield open_pair


async def over(ours):
    """Wait until a socket is."""
    ours.transport.abort()
    await until(lambda: not (ours.connections or ours.tasks))


async def until(holds):
    """Turn the loop until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0)
