"""
The JWT WebSocket middleware: lets only admitted staff through to the consumer.

A token comes in the Authorization header (apps, command line, servers), and a refusal is then a real HTTP status; or as
the first message (browsers, which cannot set headers nor read a status), and a refusal is then a close code. Nothing
else is looked at: no cookie, no query parameter, no subprotocol. Until admission nothing is joined and nothing is
asked of the database but the admission itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any

from django.conf import settings

from realtime import handshake, origin, protocol
from realtime.addresses import network_of
from realtime.admission import Refused, admit, claims_of
from realtime.connection import CLOSING_SECONDS, Identity
from realtime.doors import Doors
from realtime.draining import seconds_to_wait
from realtime.handshake import Handshake, Receive, Send, Turned
from realtime.hub import hub_of_this_loop
from realtime.limits import Held
from realtime.outlets import abort_of
from realtime.protocol import Auth, Close, NotUnderstood

logger = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class JWTAuthMiddleware:
    """Wraps the consumer, which gets accepted sockets only; the scope then has ``identity`` and ``cursor``."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._doors = Doors()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Admit or refuse one handshake."""
        if (await receive())["type"] != "websocket.connect":
            return
        held = Held()
        try:
            if not await self._is_admitted(scope, receive, send, held):
                return
            # Nothing reads the head any more, and a token has no business in memory for as long as a socket is open.
            scope["headers"] = []
            await self._application(scope, receive, send)
        except Turned as turned:
            held.give_back()
            await handshake.turn_away(scope, send, turned)
        finally:
            held.give_back()

    async def _is_admitted(self, scope: dict[str, Any], receive: Receive, send: Send, held: Held) -> bool:
        """Tell whether a socket has been let in: its places are held then, and ``scope`` says who it is."""
        network = network_of(handshake.address_of(scope, settings.USHER.trusted_proxies))
        self._doors.knock(network)
        asked = self._check(scope)
        held.take(self._doors.of_address(network))
        if asked.token is None:
            identity = await self._by_message(scope, asked, network, receive, send, held=held)
        else:
            identity = await self._by_header(asked, asked.token, send, held)
        scope["identity"], scope["cursor"] = identity, asked.cursor
        return identity is not None

    def _check(self, scope: dict[str, Any]) -> Handshake:
        if hub_of_this_loop().is_draining:
            raise Turned(503, "draining", "this server is going away; connect again")
        asked = handshake.read(scope)
        if not origin.is_allowed(asked.origins, settings.USHER.allowed_origins):
            raise Turned(403, "origin_not_allowed", "pages of this origin may not connect; see USHER_ALLOWED_ORIGINS")
        return asked

    async def _by_header(self, asked: Handshake, token: str, send: Send, held: Held) -> Identity:
        try:
            held.take(self._doors.of_process())
            identity = await self._let_in(token, held)
        except Refused as refused:
            status, code = refused.close.problem
            raise Turned(status, code, refused.close.reason, retry_after=refused.retry_after_seconds) from None
        await send({"type": "websocket.accept", "subprotocol": asked.subprotocol})
        return identity

    async def _by_message(
        self, scope: Mapping[str, Any], asked: Handshake, network: str, receive: Receive, send: Send, *, held: Held
    ) -> Identity | None:
        with hub_of_this_loop().outside() as told_to_go:
            try:
                with self._doors.of_who_waits(network):
                    await send({"type": "websocket.accept", "subprotocol": asked.subprotocol})
                    held.take(self._doors.of_process())
                    token = await self._first_message(receive, told_to_go)
                return None if token is None else await self._let_in(token, held)
            except Refused as refused:
                await _say_goodbye(scope, send, refused)
                return None

    async def _let_in(self, token: str, held: Held) -> Identity:
        """Return who holds a token, and hold his and his tenant's places; raises ``Refused``."""
        claims = claims_of(token)
        self._doors.knock_of(claims.user_id)  # before the database is asked, and also where it will say no
        identity = await admit(claims)
        held.take(*self._doors.of_viewer(identity))
        return identity

    async def _first_message(self, receive: Receive, told_to_go: asyncio.Event) -> str | None:
        """Return the token in the first message, or None for a client that went away; raises ``Refused``."""
        message = await _received_in_time(receive, told_to_go)
        if message["type"] != "websocket.receive":
            return None
        try:
            first = protocol.parse(message.get("text"))
        except NotUnderstood as error:
            raise Refused(error.close) from None
        if not isinstance(first, Auth):
            raise Refused(Close.BAD_MESSAGE)
        return first.token


async def _received_in_time(receive: Receive, told_to_go: asyncio.Event) -> Mapping[str, Any]:
    receiving, going = asyncio.ensure_future(receive()), asyncio.ensure_future(told_to_go.wait())
    try:
        both = {receiving, going}
        await asyncio.wait(both, timeout=settings.USHER.auth_seconds, return_when=asyncio.FIRST_COMPLETED)
        if receiving.done():
            return receiving.result()
        if going.done():
            raise Refused(Close.DRAIN, retry_after_seconds=seconds_to_wait())
        raise Refused(Close.NO_AUTH_IN_TIME)
    finally:
        receiving.cancel()
        going.cancel()


async def _say_goodbye(scope: Mapping[str, Any], send: Send, refused: Refused) -> None:
    """Say why, and close. Who takes nothing is cut off in a second: others want the places that it keeps."""
    close = refused.close
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await send(protocol.goodbye(close, retry_after_ms=ceil(refused.retry_after_seconds * 1000)).message)
            await send({"type": "websocket.close", "code": int(close), "reason": close.reason})
    except TimeoutError:
        abort_of(scope)()
