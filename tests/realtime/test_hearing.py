"""Listening survives whatever a layer may raise, and goes on in a new channel."""

import asyncio

import pytest
from channels.layers import InMemoryChannelLayer

from realtime import bell, hearing
from tests.realtime.layers import LONG, listening, until

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


async def test_after_an_error_of_receive_there_is_a_new_channel_in_every_group_at_once(monkeypatch):
    monkeypatch.setattr(hearing, "REJOIN_SECONDS", 10 * LONG)
    layer = Faulty({})
    async with listening(ACME, GLOBEX, layer=layer) as (_, heard):
        await until(lambda: len(layer.groups) == 2)
        (old,) = layer.groups[bell.group_of(ACME)]
        layer.failures["receive"] = [OSError("gone")]

        await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 1))
        await until(lambda: all(set(layer.groups[bell.group_of(t)]) - {old} for t in (ACME, GLOBEX)))
        await layer.group_send(bell.group_of(GLOBEX), bell.message_of(GLOBEX, 2))
        await until(lambda: (GLOBEX, 2) in heard)
