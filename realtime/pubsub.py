"""
channels-redis' pub/sub layer, reading bells that came together at once.

redis-py takes some 70 microseconds of Python for each message: a time-out, a retry, a look at the connection's health,
and five reads. In a server with many tenants that was more than all else that an event costs. So messages are taken
from what has come, all at once, and redis-py reads what is none, and whatever comes after a pause.
"""

# ruff: noqa: SLF001  (there is no other way; tests/realtime/test_pubsub.py sees it go)

import asyncio
import re
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from channels_redis.serializers import MsgPackSerializer
from redis._parsers.resp2 import _AsyncRESP2Parser
from redis.asyncio.client import PubSub

HEAD = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$([0-9]{1,4})\r\n([^\r\n]*)\r\n\$([0-9]{1,7})\r\n")
"""How a message of a channel begins in RESP 2: an array of the word, the channel and the data."""
QUIET_SECONDS = 1.0
"""After so long without a message redis-py reads: it finds out whether there is anybody who could send one."""


class PubSubChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """The layer that ``config.layers`` names."""

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self._homes: WeakValueDictionary[str, Any] = WeakValueDictionary()
        """Channel -> the layer of the loop that it is of. The base class looks for it anew with each message."""
        if type(self._serializer) is MsgPackSerializer:
            # Reads the same, in less than half the time: msgpack makes a reader for each message.
            self._serializer.from_bytes = msgspec.msgpack.Decoder().decode

    async def receive(self, channel: str) -> Any:
        """Return the next message of a channel."""
        home = self._homes.get(channel)
        if home is None:
            home = self._homes[channel] = self._get_layer()
        queue = home.channels.get(channel)
        if queue is not None and not queue.empty():
            return self.deserialize(queue.get_nowait())
        return await home.receive(channel)

    def _get_layer(self) -> Any:
        layer = self._layers.get(asyncio.get_running_loop())
        if layer is None:
            layer = super()._get_layer()
            layer._shards = [Shard(shard.host, layer) for shard in layer._shards]
        return layer


class Shard(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis, and the connection on which its messages come."""

    def _ensure_redis(self) -> None:
        is_new = self._redis is None
        super()._ensure_redis()
        if is_new:
            self._pubsub = Reader(self._redis.connection_pool)

    def _receive_message(self, message: dict[str, Any] | None) -> None:
        """Hand on a message that redis-py has read, or None, and all those that came with it."""
        super()._receive_message(message)
        channels, groups = self.channel_layer.channels, self.channel_layer.groups
        found, self._pubsub.found = self._pubsub.found, []
        for name, data in found:
            # As the base class does it, which would have each as a dict.
            channel = name.decode()
            if channel in channels:
                channels[channel].put_nowait(data)
            else:
                for member in groups.get(channel, ()):
                    if member in channels:
                        channels[member].put_nowait(data)


class Reader(PubSub):
    """redis-py's reader of such a connection, which leaves messages that come together where they are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: list[tuple[bytes, bytes]] = []
        """Messages, as (channel, data), that have come and that redis-py will not see."""
        self._greeted: Any = None
        """What redis-py has read from. On a new connection it says and hears what is to be said first."""

    async def get_message(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return what redis-py reads, or None when messages have come without it; ``found`` are those, or the next."""
        stream = self._stream
        if stream is not None and stream is self._greeted and await _comes(stream):
            self.found = self._take()
            if self.found:
                return None
        message: dict[str, Any] | None = await super().get_message(*args, **kwargs)
        self._greeted = self._stream
        self.found = self._take()
        return message

    def _take(self) -> list[tuple[bytes, bytes]]:
        stream = self._stream
        if stream is None:
            return []
        found, end = messages_in(stream._buffer)
        if end:
            del stream._buffer[:end]
            stream._maybe_resume_transport()
        return found

    @property
    def _stream(self) -> Any:
        """Where the next message begins; None while that is not known."""
        parser = getattr(self.connection, "_parser", None)
        # Any other parser, hiredis' for one, keeps what has come to itself. Of a message that was begun, the first part
        # is no longer where it came.
        if not isinstance(parser, _AsyncRESP2Parser) or parser._buffer or parser._chunks:
            return None
        return parser._stream


async def _comes(stream: Any) -> bool:
    """Wait until something has come; return False if nothing does, or will."""
    if stream._buffer:
        return True
    if stream._eof or stream._exception is not None:
        return False
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            await stream._wait_for_data("get_message")
    except OSError:  # nothing came in time, or the connection broke: redis-py finds the same, and makes a new one
        return False
    return bool(stream._buffer)


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
