"""One WebSocket connection: its handshake, its frames, and what its end means."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from clients.terminal.frames import (
    DEFAULT_HEARTBEAT_SECONDS,
    PONG,
    SUBPROTOCOL,
    BadFrame,
    Frame,
    Goodbye,
    Ping,
    Ready,
    parse_frame,
)
from clients.terminal.rest import AGENT, is_this_machine
from clients.terminal.verdicts import Ended, Verdict, seconds_of, verdict_on_close, verdict_on_status

PATH = "/ws/user_notifications/"
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
AFTER_GOODBYE_SECONDS = 3.0
"""How long the close frame that a goodbye announces may take: it can get lost."""
OURS = range(4000, 4500)
"""The close codes that have a meaning in the protocol: those above can be a proxy's."""


class ConnectionEnded(Exception):
    """The connection is over, or was never made; ``ended`` is the verdict."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.why)
        self.ended = ended


async def open_socket(address: str, *, token: str, after: str | None) -> ClientConnection:
    """
    Open a socket at the server's ``address``, to resume after the event ``after``; raises ``ConnectionEnded``.

    The token goes into the handshake's header, so a refusal comes as a plain HTTP status.
    """
    url = socket_url(address, after)
    try:
        return await connect(
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            user_agent_header=AGENT,
            # The protocol has a heartbeat of its own, which also sees a server that is stuck above its sockets.
            ping_interval=None,
            compression=None,
            proxy=None if is_this_machine(urlsplit(url).hostname or "") else True,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
        )
    except InvalidStatus as refused:
        response = refused.response
        verdict = verdict_on_status(response.status_code)
        why = f"the server refuses with {response.status_code} {_problem(response.body) or response.reason_phrase}"
        wait = seconds_of(response.headers.get("Retry-After"))
        raise ConnectionEnded(Ended(verdict, why.strip(), wait)) from None
    except (OSError, WebSocketException) as error:
        raise ConnectionEnded(Ended(Verdict.COME_BACK, f"{address} does not answer ({error})")) from None


async def receive(socket: ClientConnection) -> AsyncIterator[tuple[str, Frame]]:
    """Yield each frame with its text, answering pings, until the end: then raise ``ConnectionEnded``."""
    goodbye: Goodbye | None = None
    silence = 2 * DEFAULT_HEARTBEAT_SECONDS
    while True:
        try:
            async with asyncio.timeout(silence):
                text = await socket.recv(decode=True)
            frame = parse_frame(text)
            if isinstance(frame, Ping):
                await socket.send(PONG)
        except TimeoutError:
            silent = Ended(Verdict.COME_BACK, f"nothing came for {silence:.0f} s")
            raise ConnectionEnded(_end_of(socket, goodbye) if goodbye else silent) from None
        except ConnectionClosed:
            raise ConnectionEnded(_end_of(socket, goodbye)) from None
        except BadFrame as error:
            raise ConnectionEnded(Ended(Verdict.COME_BACK, str(error))) from None
        if isinstance(frame, Ready):
            silence = frame.silence_seconds
        elif isinstance(frame, Goodbye):
            goodbye = frame
            silence = AFTER_GOODBYE_SECONDS
        yield text, frame


def socket_url(address: str, after: str | None) -> str:
    """Return where the socket is on the server at ``address``; never with a token in it."""
    query = f"?{urlencode({'after': after})}" if after else ""
    return address.replace("http", "ws", 1) + PATH + query


def _end_of(socket: ClientConnection, goodbye: Goodbye | None) -> Ended:
    code, reason = socket.close_code or 1006, socket.close_reason or ""
    wait = 0.0
    if goodbye is not None:
        # Where the close frame got lost, or a proxy put its own in place, the farewell still says why.
        if code not in OURS:
            code = goodbye.code
        reason, wait = reason or goodbye.reason, goodbye.retry_after_seconds
    return Ended(verdict_on_close(code), f"{code} {reason or 'the connection broke'}", wait)


def _problem(body: bytes | bytearray | None) -> str:
    try:
        return str(json.loads(body or b"")["code"])
    except (ValueError, KeyError, TypeError):
        return ""
