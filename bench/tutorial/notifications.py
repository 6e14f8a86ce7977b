"""What the tutorial says of a new user, and to whom."""

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

# With what json.dumps puts between members, as many bytes as bench.systems.PAYLOAD_BYTES.
FILLING = "x" * 305


def event_of(marker: str) -> dict[str, Any]:
    """Return the group's message about a user."""
    return {
        "type": "user_created",
        "message": "New user created: newcomer",
        "at": "2026-11-23T09:30:12.401837Z",
        "marker": marker,
        "data": FILLING,
    }


def notify(group: str, marker: str) -> None:
    """Tell a group of a new user, from a view."""
    layer: Any = get_channel_layer()
    async_to_sync(layer.group_send)(group, event_of(marker))
