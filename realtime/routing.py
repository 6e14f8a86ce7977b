"""Where sockets live."""

from typing import Any, cast

from realtime.authentication import Application, JWTAuthMiddleware
from realtime.consumers import NotificationConsumer
from realtime.handshake import Receive, Send, Turned, turn_away

PATH = "/ws/user_notifications/"

_notifications = JWTAuthMiddleware(cast("Application", NotificationConsumer.as_asgi()))


async def websocket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve a WebSocket: there is one path, and every other is not found."""
    if scope["path"] == PATH:
        await _notifications(scope, receive, send)
        return
    await receive()
    await turn_away(scope, send, Turned(404, "not_found", f"no socket lives here; expected {PATH}"))
