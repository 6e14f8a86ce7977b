"""Bells of many tenants, rung in one write: the publisher rings for as many as a server of its own kind never would."""

import os
from collections.abc import Mapping
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from redis import Redis

from config.layers import PREFIX
from realtime import bell


class Bells:
    """
    Rings as ``realtime.bell`` does, by way of Redis and in the same bytes.

    That one takes 140 µs of Python for each tenant: fast enough for a server, whose transactions are of one tenant, but
    it would hold up the one process that publishes for a thousand of them.
    """

    def __init__(self) -> None:
        self._layer: Any = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
        self._redis = Redis.from_url(os.environ["REDIS_URL"])

    def ring(self, heads: Mapping[int, int]) -> None:
        """Ring for tenants, each with its head."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for tenant, head in heads.items():
                message = self._layer.serialize(bell.message_of(tenant, head))
                pipeline.publish(f"{PREFIX}__group__{bell.group_of(tenant)}", message)
            pipeline.execute()
