"""The application that a server runs: HTTP goes to Django, WebSockets to realtime."""

import os

import django
from channels.routing import ProtocolTypeRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# First: it fills the registry of apps, and the imports below need its models.
django.setup(set_prefix=False)

from config.handler import Handler  # noqa: E402
from realtime.routing import websocket  # noqa: E402

application = ProtocolTypeRouter({"http": Handler(), "websocket": websocket})
