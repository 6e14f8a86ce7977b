"""May the holder of this token open a socket here? Asked once, before a connection reaches its consumer."""

import asyncio
import time

from realtime import ports, rights
from realtime.connection import Identity
from realtime.lookups import NotLookedUp, look_ups_of_this_loop
from realtime.ports import Claims, TokenRefused
from realtime.protocol import Close

LOOK_UP_SECONDS = 5.0
"""A database that hangs must not keep a handshake waiting until the server gives it up without a word."""


class Refused(Exception):
    """A token that opens no socket; ``close`` says why, and when it might."""

    def __init__(self, close: Close, *, retry_after_seconds: float = 0) -> None:
        super().__init__(close.reason)
        self.close = close
        self.retry_after_seconds = retry_after_seconds or close.retry_after_seconds


def claims_of(token: str) -> Claims:
    """Return what a token says, once it is checked; raises ``Refused``. Asks nothing of the database."""
    try:
        return ports.tokens().read(token)
    except TokenRefused as refused:
        raise Refused(Close.TOKEN_EXPIRED if refused.reason == "expired" else Close.UNAUTHENTICATED) from None


async def admit(claims: Claims) -> Identity:
    """
    Return who holds a token, if he may watch his tenant; raises ``Refused``.

    The answer lets a connection in and no more: what it is given is judged by the hub's own snapshots. Fails closed: a
    database that cannot be asked, or a mistake of ours, is ``SERVER_ERROR``.
    """
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            standing, viewer = await look_ups_of_this_loop().of(claims.session_id)
    except (NotLookedUp, TimeoutError) as error:
        raise Refused(Close.SERVER_ERROR) from error
    if claims.expires_at <= time.time():
        # Tokens are read with some seconds of leeway, for clocks that differ; a socket would be closed at once.
        raise Refused(Close.TOKEN_EXPIRED)
    if standing is not None and standing.user_id != claims.user_id:
        raise Refused(Close.UNAUTHENTICATED)
    refusal = rights.refusal_of(standing, viewer, now=time.time())
    if refusal is not None or viewer is None:
        raise Refused(refusal or Close.NOT_AUTHORISED)
    return Identity(
        user_id=claims.user_id,
        tenant_id=viewer.tenant_id,
        session_id=claims.session_id,
        token_expires_at=claims.expires_at,
    )
