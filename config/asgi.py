"""The application that a server runs: HTTP goes to Django, WebSockets to realtime."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# First: it fills the registry of apps, and the import below needs its models.
http = get_asgi_application()

from realtime.routing import websocket  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
