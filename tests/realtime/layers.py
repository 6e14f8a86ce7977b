"""The three channel layers, on a real Redis, and how many are in a group of each."""

import asyncio
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from redis import Redis

from config.layers import channel_layer_of
from realtime import bell

WITH_REDIS = ("pubsub", "core")
ALL = ("memory", *WITH_REDIS)
LONG = 30.0


def settings_of(kind: str, url: str) -> dict[str, Any]:
    """Return the setting CHANNEL_LAYERS as the product makes it."""
    return {DEFAULT_CHANNEL_LAYER: channel_layer_of(kind, url)}


def members(kind: str, url: str, tenant_id: int) -> int:
    """Return how many channels are in a tenant's group: asked of Redis itself, where there is one."""
    group = bell.group_of(tenant_id)
    if kind == "memory":
        return len(channel_layers[DEFAULT_CHANNEL_LAYER].groups.get(group, ()))
    with Redis.from_url(url) as client:
        if kind == "core":
            return int(client.zcard(f"usher:group:{group}"))  # type: ignore[arg-type]  the client is the plain one
        ((_, subscribers),) = client.pubsub_numsub(f"usher__group__{group}")
        return int(subscribers)


def another_process() -> Any:
    """Return a layer that shares nothing with this process's own but the Redis."""
    return channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)


async def until(holds: Any) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LONG):
        while not holds():
            await asyncio.sleep(0.01)
