"""
One contract, three channel layers: in memory, channels-redis' pub/sub and its core layer, these on a real Redis.

The layer only carries hints, so what is asked of each is little: one member per process and tenant, a bell that is
heard, a group that is left, and all of it again after whatever may happen to Redis.
"""

import asyncio
import signal
from contextlib import asynccontextmanager

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers

from realtime import bell, hearing
from realtime.hearing import Hearing
from tests.realtime.house import house, make_session, make_tenant, make_user
from tests.realtime.layers import ALL, LONG, WITH_REDIS, another_process, members, settings_of, until
from tests.services.redis import RedisServer

ACME, GLOBEX = 4712, 4713


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(hearing, "REJOIN_SECONDS", 0.05)
    monkeypatch.setattr(hearing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(bell, "_publishers", [])


@pytest.fixture(params=ALL)
def kind(request, redis, settings):
    redis.clear()
    settings.CHANNEL_LAYERS = settings_of(request.param, redis.url)
    return request.param


@pytest.fixture(params=WITH_REDIS)
def fragile(request, settings):
    """A Redis server that may be broken, and the kind of layer on it."""
    server = RedisServer()
    settings.CHANNEL_LAYERS = settings_of(request.param, server.url)
    yield server, request.param
    server.stop()


@asynccontextmanager
async def listening(*tenants, layer=None):
    """Listen as a hub does; gives what listens, and the list of what it hears."""
    heard = []
    ears = Hearing(layer or channel_layers[DEFAULT_CHANNEL_LAYER], lambda *bell: heard.append(bell))
    ears.start()
    for tenant in tenants:
        ears.join(tenant)
    try:
        yield ears, heard
    finally:
        async with asyncio.timeout(LONG):
            await ears.stop()


async def rung(kind, tenant, head=1):
    """Ring as another process does; in memory there is none, and the hub itself does it."""
    layer = channel_layers[DEFAULT_CHANNEL_LAYER] if kind == "memory" else another_process()
    await layer.group_send(bell.group_of(tenant), bell.message_of(tenant, head))


async def heard_again(kind, heard):
    """Ring until one is heard: what is rung while nobody listens is lost, as it may be."""
    heard.clear()
    async with asyncio.timeout(LONG):
        while not heard:
            try:
                await rung(kind, ACME, 9)
            except OSError:
                pass  # Redis is not back yet
            await asyncio.sleep(0.05)
    assert set(heard) == {(ACME, 9)}


async def test_a_bell_that_is_rung_elsewhere_is_heard_by_those_in_its_group_alone(kind, redis):
    async with listening(ACME) as (_, acme), listening(GLOBEX) as (_, globex):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)

        await rung(kind, GLOBEX, 1)
        await rung(kind, ACME, 2)
        await until(lambda: acme and globex)

    assert (acme, globex) == ([(ACME, 2)], [(GLOBEX, 1)])


async def test_a_group_is_left_and_others_are_not(kind, redis):
    async with listening(ACME, GLOBEX) as (ears, heard):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)

        ears.leave(ACME)
        await until(lambda: members(kind, redis.url, ACME) == 0)
        await rung(kind, ACME, 1)
        await rung(kind, GLOBEX, 2)
        await until(lambda: heard)

        assert heard == [(GLOBEX, 2)]
        assert members(kind, redis.url, GLOBEX) == 1


async def test_in_the_end_all_groups_are_left(kind, redis):
    async with listening(ACME, GLOBEX) as (ears, _):
        await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 1)
        ears.leave(GLOBEX)  # and no turn of the loop to do so

    await until(lambda: members(kind, redis.url, ACME) == members(kind, redis.url, GLOBEX) == 0)


async def test_the_end_waits_for_no_frozen_redis(fragile):
    server, kind = fragile
    async with listening(ACME) as (ears, heard):
        await heard_again(kind, heard)
        server.process.send(signal.SIGSTOP)
        began = asyncio.get_running_loop().time()

    try:
        assert asyncio.get_running_loop().time() - began < hearing.LEAVING_SECONDS + 1
    finally:
        server.process.send(signal.SIGCONT)


async def test_a_group_may_be_joined_anew_however_quickly(kind, redis):
    async with listening(ACME) as (ears, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)
        for _ in range(5):
            ears.leave(ACME)
            ears.join(ACME)
        ears.leave(GLOBEX)

        await heard_again(kind, heard)
        assert members(kind, redis.url, ACME) == 1


async def test_a_flushed_redis_is_joined_again(kind, redis):
    async with listening(ACME) as (_, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)

        redis.clear()

        await heard_again(kind, heard)
        assert members(kind, redis.url, ACME) == 1


async def test_after_a_restart_of_redis_the_bells_are_heard_again(fragile):
    server, kind = fragile
    async with listening(ACME) as (_, heard):
        await heard_again(kind, heard)

        server.kill()
        server.start()

        await heard_again(kind, heard)
        await until(lambda: members(kind, server.url, ACME) == 1)


async def test_who_begins_while_redis_is_away_hears_when_it_is_back(fragile):
    server, kind = fragile
    server.kill()
    async with listening(ACME) as (_, heard):
        server.start()

        await heard_again(kind, heard)


async def test_a_message_of_another_kind_is_not_a_bell(kind, redis):
    async with listening(ACME) as (_, heard):
        await until(lambda: members(kind, redis.url, ACME) == 1)
        group = bell.group_of(ACME)
        layer = channel_layers[DEFAULT_CHANNEL_LAYER] if kind == "memory" else another_process()
        for message in (
            {"type": "user_created", "tenant": ACME, "head": 1},
            {"type": "usher.bell"},
            {"type": "usher.bell", "tenant": str(ACME), "head": 1},
            {"type": "usher.bell", "tenant": ACME, "head": None},
        ):
            await layer.group_send(group, message)
        await rung(kind, ACME, 5)
        await until(lambda: heard)

    assert heard == [(ACME, 5)]


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


async def test_after_an_error_of_receive_there_is_a_new_channel_in_every_group():
    layer = Faulty({})
    async with listening(ACME, GLOBEX, layer=layer) as (_, heard):
        await until(lambda: len(layer.groups) == 2)
        (old,) = layer.groups[bell.group_of(ACME)]
        layer.failures["receive"] = [OSError("gone")]

        await layer.group_send(bell.group_of(ACME), bell.message_of(ACME, 1))
        await until(lambda: all(set(layer.groups[bell.group_of(t)]) - {old} for t in (ACME, GLOBEX)))
        await layer.group_send(bell.group_of(GLOBEX), bell.message_of(GLOBEX, 2))
        await until(lambda: (GLOBEX, 2) in heard)


async def test_a_hub_has_one_member_per_tenant_and_none_without_sockets(kind, redis, database):
    async with house() as home:
        acme, globex = [await home.write(make_tenant, slug) for slug in ("acme", "globex")]
        alices = [await home.write(_session, acme, f"alice {number}") for number in range(5)]
        mallory = await home.write(_session, globex, "mallory")
        sockets = [await home.socket(session) for session in (*alices * 4, mallory)]
        await until(lambda: [members(kind, redis.url, t.pk) for t in (acme, globex)] == [1, 1])

        for socket in sockets[1:]:
            home.hub.leave(socket.connection)
        await until(lambda: members(kind, redis.url, globex.pk) == 0)
        assert members(kind, redis.url, acme.pk) == 1, "one of acme's is still there"
        home.hub.leave(sockets[0].connection)
        await until(lambda: members(kind, redis.url, acme.pk) == 0)

        assert home.hub.audiences == {}


async def test_what_is_created_elsewhere_reaches_a_socket_by_the_bell_alone(kind, database, settings, monkeypatch):
    """No sweep comes within the test's time, and this process's own listeners hear nothing."""
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 10 * LONG})
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.socket(await home.write(_session, acme, "alice"))
        await alice.until(lambda socket: socket.of_type("synced"))
        joined = channel_layers[DEFAULT_CHANNEL_LAYER]
        await until(lambda: home.hub._hearing._joined)
        if kind == "memory":
            assert len(joined.groups[bell.group_of(acme.pk)]) == 1
        else:
            monkeypatch.setattr(bell, "_listeners", set())

        await home.write(make_user, acme, "dave")
        await alice.until(lambda socket: socket.heard_of)

        assert alice.heard_of == ["dave"]


def _session(tenant, username):
    return make_session(make_user(tenant, username, "owner"))
