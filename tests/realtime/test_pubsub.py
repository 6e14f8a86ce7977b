"""Bells that come together are read together, and none is lost, torn or taken for another."""

import asyncio

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from redis import Redis
from redis.asyncio.client import PubSub

from realtime import bell
from realtime.pubsub import messages_in
from tests.realtime.layers import LONG, another_process, listening, members, settings_of, until

ACME, GLOBEX, MANY = 4711, 4712, 500


def message(channel, data):
    """Return a message as Redis sends it."""
    return b"*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(channel), channel, len(data), data)


SENT = [(b"a", b"1"), (b"bb", b""), (b"a", message(b"c", b"no message")), (b"ccc", b"\r\n*3\r\n$7\r\n" * 40)]


def test_wherever_the_bytes_end_the_whole_messages_are_found_and_no_other():
    wire = b"".join(message(*each) for each in SENT)

    for size in range(len(wire) + 1):
        found, end = messages_in(bytearray(wire[:size]))
        rest, _ = messages_in(wire[end:])

        assert found + rest == SENT
        assert end <= size


@pytest.mark.parametrize(
    "other",
    [
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        b"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\n1\r\n",
        b"*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        b"+PONG\r\n",
        b"*3\r\n$7\r\nmessage\r\n$3\r\na\r\n$1\r\n1\r\n",
    ],
    ids=["subscribed", "of a pattern", "pong of a subscriber", "pong", "a length that is wrong"],
)
def test_whatever_is_no_message_is_left_to_redis_py_with_all_behind_it(other):
    assert messages_in(message(b"a", b"1") + other + message(b"b", b"2")) == ([(b"a", b"1")], len(message(b"a", b"1")))


async def test_a_burst_is_heard_in_order_and_read_in_few_turns(redis, settings, monkeypatch):
    settings.CHANNEL_LAYERS = settings_of("pubsub", redis.url)
    read, turns = PubSub.get_message, []

    async def counted(self, *args, **kwargs):
        answer = await read(self, *args, **kwargs)
        if answer is not None:
            turns.append(answer)
        return answer

    monkeypatch.setattr(PubSub, "get_message", counted)
    layer = another_process()
    async with listening(ACME, GLOBEX) as (_, heard):
        await until(lambda: members("pubsub", redis.url, ACME) == members("pubsub", redis.url, GLOBEX) == 1)
        turns.clear()
        with Redis.from_url(redis.url) as client, client.pipeline(transaction=False) as pipeline:
            for number in range(1, MANY + 1):
                tenant = (ACME, GLOBEX)[number % 2]
                message = layer.serialize(bell.message_of(tenant, number))
                pipeline.publish(f"usher__group__{bell.group_of(tenant)}", message)
            await asyncio.to_thread(pipeline.execute)
        async with asyncio.timeout(LONG):
            await until(lambda: len(heard) >= MANY)

    assert heard == [((ACME, GLOBEX)[number % 2], number) for number in range(1, MANY + 1)]
    assert len(turns) < MANY / 4


def test_it_is_the_layer_of_the_product(redis, settings):
    settings.CHANNEL_LAYERS = settings_of("pubsub", redis.url)

    assert type(channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)).__name__ == "PubSubChannelLayer"
