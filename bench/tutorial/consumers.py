"""The tutorial's consumer and its authentication."""

import json
import os
from typing import Any
from urllib.parse import parse_qs

import jwt
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model


class TokenAuthMiddleware:
    """Looks up the user of the token that the address holds."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Put the user into the scope."""
        token = parse_qs(scope["query_string"].decode())["token"][0]
        claims = jwt.decode(token, os.environ["TUTORIAL_KEY"], algorithms=["HS256"])
        user = await database_sync_to_async(get_user_model()._default_manager.get)(pk=claims["user_id"])
        return await self.app({**scope, "user": user}, receive, send)


class NotificationConsumer(AsyncWebsocketConsumer):
    """Passes on what its group is told."""

    async def connect(self) -> None:
        """Join the group."""
        user: Any = self.scope["user"]
        if not user.is_active:
            await self.close()
            return
        self.group = self.scope["url_route"]["kwargs"]["group"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def user_created(self, event: dict[str, Any]) -> None:
        """Send what the group was told."""
        await self.send(text_data=json.dumps(event))
