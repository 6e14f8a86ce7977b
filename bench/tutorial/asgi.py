"""The tutorial's application."""

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

http = get_asgi_application()

from bench.tutorial.consumers import NotificationConsumer, TokenAuthMiddleware  # noqa: E402  needs the apps

consumer: Any = NotificationConsumer.as_asgi()
application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": TokenAuthMiddleware(URLRouter([path("ws/user_notifications/<str:group>/", consumer)])),
    }
)
