"""The three channel layers, on a real Redis, and how many are in a group of each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from redis import Redis

from config.layers import channel_layer_of
from realtime import bell
from realtime.hearing import Hearing

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
            return cast("int", client.zcard(f"usher:group:{group}"))
        ((_, subscribers),) = client.pubsub_numsub(f"usher__group__{group}")
        return cast("int", subscribers)


def another_process() -> Any:
    """Return a layer that shares nothing with this process's own but the Redis."""
    return channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)


async def until(holds: Any) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LONG):
        while not holds():  # noqa: ASYNC110  another process, or a thread, has no event of ours to set
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(*tenants: int, layer: Any = None) -> AsyncIterator[tuple[Hearing, list[tuple[int, int]]]]:
    """Listen as a hub does; gives what listens, and the list of what it hears."""
    heard: list[tuple[int, int]] = []
    ears = Hearing(layer or channel_layers[DEFAULT_CHANNEL_LAYER], lambda *bell: heard.append(bell))
    ears.start()
    for tenant in tenants:
        ears.join(tenant)
    try:
        yield ears, heard
    finally:
        async with asyncio.timeout(LONG):
            await ears.stop()


async def rung(kind: str, tenant_id: int, head: int = 1) -> None:
    """Ring as another process does; in memory there is none, and the hub itself does it."""
    layer = channel_layers[DEFAULT_CHANNEL_LAYER] if kind == "memory" else another_process()
    await layer.group_send(bell.group_of(tenant_id), bell.message_of(tenant_id, head))


async def heard_again(kind: str, tenant_id: int, heard: list[tuple[int, int]]) -> None:
    """Ring until one is heard: what is rung while nobody listens is lost, as it may be."""
    heard.clear()
    async with asyncio.timeout(LONG):
        while not heard:
            with contextlib.suppress(OSError):  # Redis is not back yet
                await rung(kind, tenant_id, 9)
            await asyncio.sleep(0.05)
    assert set(heard) == {(tenant_id, 9)}


async def ear(tenant_id: int) -> Callable[[], Awaitable[Any]]:
    """Be another process in a tenant's group; return a coroutine function for its next message."""
    layer = another_process()
    channel = await layer.new_channel()
    await layer.group_add(bell.group_of(tenant_id), channel)

    async def heard() -> Any:
        return await layer.receive(channel)

    return heard
