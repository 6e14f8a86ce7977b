"""Listening survives whatever a layer may raise or bring, and goes on in the same channel."""

import asyncio

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers
from redis import Redis

from realtime import bell, hearing
from tests.realtime.layers import LONG, heard_again, listening, members, settings_of, until

pytestmark = pytest.mark.usefixtures("quickly")
ACME, GLOBEX = 4712, 4713


class Faulty(InMemoryChannelLayer):
    """A layer of which each operation fails a few times, and some fail later too."""

    def __init__(self, failures):
        super().__init__()
        self.failures = {operation: list(errors) for operation, errors in failures.items()}

    async def new_channel(self, prefix="specific."):
        self._fail("new_channel")
        return await super().new_channel(prefix)

    async def receive(self, channel):
        self._fail("receive")
        return await super().receive(channel)

    async def group_add(self, group, channel):
        self._fail("group_add")
        await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        self._fail("group_discard")
        await super().group_discard(group, channel)

    def _fail(self, operation):
        if self.failures.get(operation):
            raise self.failures[operation].pop()


ERRORS = (OSError("gone"), RuntimeError("no such channel"), TimeoutError(), ValueError("odd"))


@pytest.mark.parametrize("operation", ["new_channel", "receive", "group_add", "group_discard"])
async def test_listening_survives_a_layer_that_raises(operation):
    layer = Faulty({operation: ERRORS})
    async with listening(ACME, GLOBEX, layer=layer) as (ears, heard):
        ears.leave(GLOBEX)
        await until(lambda: not layer.failures[operation] and bell.group_of(ACME) in layer.groups)
        while not heard:
            await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 3))
            await asyncio.sleep(0.01)

        assert set(heard) == {(ACME, 3)}
        await until(lambda: bell.group_of(GLOBEX) not in layer.groups)


async def test_after_an_error_of_receive_it_is_in_every_group_again_at_once(monkeypatch):
    monkeypatch.setattr(hearing, "REJOIN_SECONDS", 10 * LONG)
    layer = Faulty({})
    async with listening(ACME, GLOBEX, layer=layer) as (_, heard):
        await until(lambda: len(layer.groups) == 2)
        layer.failures["receive"] = [OSError("gone")]

        await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 1))
        layer.groups.clear()
        await until(lambda: len(layer.groups) == 2)
        await layer.group_send(bell.group_of(GLOBEX), bell.message_of(GLOBEX, 2))
        await until(lambda: (GLOBEX, 2) in heard)


async def test_what_fails_again_and_again_is_said_once_until_it_works(caplog):
    layer = Faulty({"new_channel": [*ERRORS], "group_add": [*ERRORS]})
    async with listening(ACME, layer=layer) as (_, heard):
        await until(lambda: bell.group_of(ACME) in layer.groups)
        await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 3))
        await until(lambda: heard)

    assert caplog.messages == [
        "bells cannot be heard (ValueError); sockets hear by the sweep",
        "bells can be heard again",
    ]


@pytest.mark.parametrize("rubbish", [b"\xc1 is no msgpack", b"\x93\x01\x02\x03", b"\x81\xa6tenant\xa1x", b""], ids=repr)
async def test_rubbish_in_redis_is_passed_over_and_leaves_nothing_behind(rubbish, redis, settings):
    settings.CHANNEL_LAYERS = settings_of("pubsub", redis.url)
    layer = channel_layers[DEFAULT_CHANNEL_LAYER]
    async with listening(ACME) as (_, heard):
        await until(lambda: members("pubsub", redis.url, ACME))
        await heard_again("pubsub", ACME, heard)

        with Redis.from_url(redis.url) as client:
            for _ in range(5):
                assert client.publish(f"usher__group__{bell.group_of(ACME)}", rubbish) == 1
        await heard_again("pubsub", ACME, heard)

        assert len(layer.channels) == 1, "another would fill up, since nobody reads it"
        assert members("pubsub", redis.url, ACME) == 1
