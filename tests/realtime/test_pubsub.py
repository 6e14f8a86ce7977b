"""Bells that come together are read together, and none is lost, torn or taken for another."""

import asyncio

import msgspec
import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis import Redis
from redis.asyncio.client import PubSub

from realtime import bell
from realtime.pubsub import PubSubChannelLayer, messages_in
from tests.faults.proxy import Proxy
from tests.realtime.layers import LONG, another_process, heard_again, listening, members, rung, settings_of, until

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


@pytest.fixture
def turns(monkeypatch) -> list[object]:
    """What redis-py itself has read, None for nothing."""
    read, turns = PubSub.get_message, []

    async def counted(self, *args, **kwargs):
        turns.append(await read(self, *args, **kwargs))
        return turns[-1]

    monkeypatch.setattr(PubSub, "get_message", counted)
    return turns


@pytest.fixture
def pubsub(redis, settings) -> str:
    settings.CHANNEL_LAYERS = settings_of("pubsub", redis.url)
    return redis.url


async def test_a_burst_is_heard_in_order_and_read_in_few_turns(pubsub, turns):
    layer = another_process()
    async with listening(ACME, GLOBEX) as (_, heard):
        await until(lambda: members("pubsub", pubsub, ACME) == members("pubsub", pubsub, GLOBEX) == 1)
        turns.clear()
        with Redis.from_url(pubsub) as client, client.pipeline(transaction=False) as pipeline:
            for number in range(1, MANY + 1):
                tenant = (ACME, GLOBEX)[number % 2]
                message = layer.serialize(bell.message_of(tenant, number))
                pipeline.publish(f"usher__group__{bell.group_of(tenant)}", message)
            await asyncio.to_thread(pipeline.execute)
        async with asyncio.timeout(LONG):
            await until(lambda: len(heard) >= MANY)

    assert heard == [((ACME, GLOBEX)[number % 2], number) for number in range(1, MANY + 1)]
    assert len([message for message in turns if message is not None]) < MANY / 4


async def test_one_bell_after_the_other_is_heard_without_redis_py(pubsub, turns):
    layer = another_process()
    async with listening(ACME) as (_, heard):
        await until(lambda: members("pubsub", pubsub, ACME) == 1)
        await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 1))
        await until(lambda: len(heard) == 1)
        turns.clear()
        for number in range(2, 50):
            await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, number))
            await until(lambda expected=number: len(heard) == expected)

    assert heard == [(ACME, number) for number in range(1, 50)]
    assert not any(turns)  # some, perhaps, have found nothing in the second for which they look


async def test_a_message_that_comes_in_pieces_is_heard_whole_and_in_its_place(pubsub):
    layer, padding = another_process(), "x" * 3_000_000
    async with listening(ACME) as (_, heard):
        await until(lambda: members("pubsub", pubsub, ACME) == 1)
        for number in range(1, 7):
            message = bell.message_of(ACME, number) | ({"padding": padding} if number % 2 else {})
            await layer.group_send(bell.group_of(ACME), message)
        await until(lambda: len(heard) == 6)

    assert heard == [(ACME, number) for number in range(1, 7)]


async def test_with_nothing_to_hear_redis_py_looks_after_the_connection(pubsub, turns, monkeypatch):
    monkeypatch.setattr("realtime.pubsub.QUIET_SECONDS", 0.05)
    async with listening(ACME) as (_, heard):
        await until(lambda: members("pubsub", pubsub, ACME) == 1)
        turns.clear()
        await until(lambda: len(turns) >= 3)  # each of which has looked whether it is time to ask if anybody is there
        await heard_again("pubsub", ACME, heard)


async def test_a_connection_that_is_cut_while_it_waits_is_made_anew(pubsub, turns):
    async with listening(ACME, GLOBEX) as (_, heard):
        await until(lambda: members("pubsub", pubsub, ACME) == members("pubsub", pubsub, GLOBEX) == 1)
        await heard_again("pubsub", ACME, heard)  # from here on it waits by itself
        with Redis.from_url(pubsub) as client:
            assert client.client_kill_filter(_type="pubsub", skipme=True) >= 1
        await heard_again("pubsub", ACME, heard)
        await heard_again("pubsub", GLOBEX, heard)
        turns.clear()
        await rung("pubsub", GLOBEX, 10)
        await until(lambda: heard[-1] == (GLOBEX, 10))
        assert not any(turns)


async def test_one_that_is_reset_while_it_waits_is_made_anew_by_redis_py(redis, settings, monkeypatch):
    failures = []
    monkeypatch.setattr("channels_redis.pubsub.logger.exception", failures.append)
    with Proxy(("127.0.0.1", redis.port), seed=1) as line:
        settings.CHANNEL_LAYERS = settings_of("pubsub", f"redis://127.0.0.1:{line.port}/0")
        async with listening(ACME) as (_, heard):
            await until(lambda: members("pubsub", redis.url, ACME) == 1)
            await heard_again("pubsub", ACME, heard)

            assert await asyncio.to_thread(line.reset) >= 1
            await heard_again("pubsub", ACME, heard)

    assert len(failures) == 1  # redis-py's own; after each the layer hears nothing for a second


def test_it_is_the_layer_of_the_product(pubsub):
    assert type(channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)).__name__ == "PubSubChannelLayer"


@pytest.mark.parametrize("how", [{}, {"serializer_format": "json"}, {"symmetric_encryption_keys": ["secret"]}])
def test_what_the_layer_of_channels_redis_packs_is_read_whichever_way_it_packs(how):
    message = {"type": "anything", "many": [1, -(2**63), 2.5, None, True, "\N{SNOWMAN}"], "of it": {"deep": {}}}

    packed = RedisPubSubChannelLayer(**how).serialize(message)

    assert PubSubChannelLayer(**how).deserialize(packed) == message


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x81", b"\x01\x02"])
def test_what_is_no_message_is_an_error_to_either(junk):
    for layer in (RedisPubSubChannelLayer, PubSubChannelLayer):
        with pytest.raises((ValueError, msgspec.DecodeError)):
            layer().deserialize(junk)
