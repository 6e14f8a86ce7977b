"""
channels-redis' pub/sub layer, reading bells that came together at once.

redis-py takes some 70 microseconds of Python for each message: a time-out, a retry, a look at the connection's health,
and five reads. In a server with many tenants that was more than all else that an event costs. Bells come in bursts, so
the first of a burst is read like that, and the others are taken from what has come with it.
"""

# ruff: noqa: SLF001  (there is no other way; tests/realtime/test_pubsub.py sees it go)

import asyncio
import re
from typing import Any
from weakref import WeakValueDictionary

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis._parsers.resp2 import _AsyncRESP2Parser

HEAD = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$([0-9]{1,4})\r\n([^\r\n]*)\r\n\$([0-9]{1,7})\r\n")
"""How a message of a channel begins in RESP 2: an array of the word, the channel and the data."""


class PubSubChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """The layer that ``config.layers`` names."""

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self._homes: WeakValueDictionary[str, Any] = WeakValueDictionary()
        """Channel -> the layer of the loop that it is of. The base class looks for it anew with each message."""

    async def receive(self, channel: str) -> Any:
        """Return the next message of a channel."""
        home = self._homes.get(channel)
        if home is None:
            home = self._homes[channel] = self._get_layer()
        return await home.receive(channel)

    def _get_layer(self) -> Any:
        layer = self._layers.get(asyncio.get_running_loop())
        if layer is None:
            layer = super()._get_layer()
            layer._shards = [Shard(shard.host, layer) for shard in layer._shards]
        return layer


class Shard(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis, and the connection on which its messages come."""

    def _receive_message(self, message: dict[str, Any] | None) -> None:
        """Hand on a message that redis-py has read, or None, and all those that came with it."""
        super()._receive_message(message)
        channels, groups = self.channel_layer.channels, self.channel_layer.groups
        for name, data in _arrived(self._pubsub.connection):
            # As the base class does it, which would have each as a dict.
            channel = name.decode()
            if channel in channels:
                channels[channel].put_nowait(data)
            else:
                for member in groups.get(channel, ()):
                    if member in channels:
                        channels[member].put_nowait(data)


def messages_in(buffer: bytes | bytearray) -> tuple[list[tuple[bytes, bytes]], int]:
    """Return the messages, as (channel, data), with which a buffer begins, and how many bytes of it they are."""
    whole = bytes(buffer)
    found = []
    end = 0
    while (head := HEAD.match(whole, end)) is not None:
        length, channel, size = head.groups()
        begin = head.end()
        after = begin + int(size)
        if len(channel) != int(length) or len(whole) < after + 2:
            break  # of another kind, or the rest is on the way
        found.append((channel, whole[begin:after]))
        end = after + 2
    return found, end


def _arrived(connection: Any) -> list[tuple[bytes, bytes]]:
    """Take the messages that a connection has received, and that redis-py has not begun to read."""
    parser = getattr(connection, "_parser", None)
    # Any other parser, hiredis' for one, keeps what has come to itself. Of a message that was begun, the first part is
    # no longer where it came.
    if not isinstance(parser, _AsyncRESP2Parser) or parser._buffer or parser._chunks or parser._stream is None:
        return []
    stream: Any = parser._stream
    found, end = messages_in(stream._buffer)
    if end:
        del stream._buffer[:end]
        stream._maybe_resume_transport()
    return found
