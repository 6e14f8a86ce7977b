"""The Channels consumer: takes part in connecting, in what the client says, and in closing. Delivery goes past it."""

import logging
from collections.abc import Mapping
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings

from realtime import ports, protocol
from realtime.connection import Connection, Identity
from realtime.hub import hub_of_this_loop
from realtime.lifetime import Lifetime
from realtime.limits import Bucket, rate_of
from realtime.outlets import outlet_of
from realtime.ports import TokenRefused
from realtime.protocol import Auth, Close, NotUnderstood

logger = logging.getLogger(__name__)


class NotificationConsumer(AsyncConsumer):
    """One admitted, accepted socket: ``scope`` has its ``identity`` and ``cursor`` from the middleware."""

    # The hub is in the layer on behalf of all sockets; none has a channel of its own.
    channel_layer_alias = "none"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a socket from its registration to its end; whatever happens, the hub forgets it."""
        self.hub = hub_of_this_loop()
        self.connection = Connection(
            identity=scope["identity"],
            cursor=scope["cursor"],
            outlet=outlet_of(scope, send, fast_lane=settings.USHER.fast_lane),
        )
        self.lifetime = Lifetime(
            self.connection,
            heartbeat_seconds=settings.USHER.heartbeat_seconds,
            pong_seconds=settings.USHER.pong_seconds,
        )
        self.messages = Bucket(rate_of(settings.USHER.messages_per_socket))
        self.renewals = Bucket(rate_of(settings.USHER.renewals_per_socket))
        self.hub.join(self.connection)
        try:
            # Not Channels' own loop: it makes a task for each message, and keeps one waiting on every idle socket.
            while (message := await receive())["type"] != "websocket.disconnect":
                await self.dispatch(message)
        finally:
            self.lifetime.stop()
            self.hub.leave(self.connection)

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """
        Take a message of the client's. Channels' own dispatch is left out: it goes through one shared thread each time.

        No exception may leave here: it would take the socket down without a word.
        """
        try:
            self.lifetime.heard()
            if not self.messages.take():
                self.connection.close(Close.RATE)
            elif self.connection.is_open:
                self._take(protocol.parse(message.get("text")))
        except NotUnderstood as error:
            self.connection.close(error.close)
        except Exception:
            logger.exception("a client's message could not be handled")
            self.connection.close(Close.SERVER_ERROR)

    def _take(self, said: protocol.Auth | protocol.Pong) -> None:
        if not isinstance(said, Auth):
            return
        if self.renewals.take():
            self._renew(said.token)
        else:  # each is looked up in the database
            self.connection.close(Close.RATE)

    def _renew(self, token: str) -> None:
        mine = self.connection.identity
        try:
            claims = ports.tokens().read(token)
        except TokenRefused as refused:
            self.connection.close(Close.TOKEN_EXPIRED if refused.reason == "expired" else Close.UNAUTHENTICATED)
            return
        if claims.user_id != mine.user_id:
            self.connection.close(Close.UNAUTHENTICATED)
            return
        self.hub.renew(
            self.connection,
            Identity(
                user_id=mine.user_id,
                tenant_id=mine.tenant_id,
                session_id=claims.session_id,
                token_expires_at=claims.expires_at,
            ),
        )
