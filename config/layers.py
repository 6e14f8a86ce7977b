"""The channel layer that the environment asks for, as Channels wants it."""

from typing import Any

# The bell's messages are tiny and lost ones do no harm; the default capacity of 100 for a whole process would lose some
# in every burst, and each costs the two seconds until the sweep.
CORE_CAPACITY, MEMORY_CAPACITY = 5_000, 10_000
MOST_CONNECTIONS = 5_000
PREFIX = "usher"


def channel_layer_of(kind: str, redis_url: str | None) -> dict[str, Any]:
    """Return the settings of the ``pubsub``, ``core`` or ``memory`` layer."""
    if kind == "memory":
        return _layer("channels.layers.InMemoryChannelLayer", capacity=MEMORY_CAPACITY)
    if kind == "core":
        # Its receive blocks for 5 s in Redis. A socket time-out of 5 s, the default of redis-py 8, kills every idle
        # consumer, and its pool of 100 turns a burst of handshakes into errors.
        host = {"address": redis_url, "socket_timeout": None, "max_connections": MOST_CONNECTIONS}
        host |= {"socket_connect_timeout": 5, "health_check_interval": 30}
        core = "channels_redis.core.RedisChannelLayer"
        return _layer(core, hosts=[host], prefix=PREFIX, capacity=CORE_CAPACITY)
    # It polls with a time-out of its own; without one on the socket a frozen Redis would hold a publish for ever.
    host = {"address": redis_url, "socket_timeout": 5, "socket_connect_timeout": 5, "health_check_interval": 30}
    return _layer("realtime.pubsub.PubSubChannelLayer", hosts=[host], prefix=PREFIX)


def _layer(backend: str, **config: Any) -> dict[str, Any]:
    return {"BACKEND": backend, "CONFIG": config}
