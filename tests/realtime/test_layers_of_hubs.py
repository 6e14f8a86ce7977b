"""A whole hub on each of the three layers: how many members it has, and whether it needs no more than the bell."""

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers

from realtime import bell
from tests.realtime.house import house, make_session, make_tenant, make_user
from tests.realtime.layers import LONG, members, until

pytestmark = pytest.mark.usefixtures("quickly")


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


async def test_while_bells_get_lost_sweeps_come_soon(fragile, database, settings, monkeypatch):
    """The sweep's own time is an hour here, and what is created rings nobody: a publisher without Redis tells."""
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 3600})
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.socket(await home.write(_session, acme, "alice"))
        await alice.until(lambda socket: socket.of_type("synced"))
        monkeypatch.setattr(bell, "_listeners", set())
        fragile.kill()
        assert not bell.is_unsure()

        await home.write(make_user, acme, "dave")
        await alice.until(lambda socket: socket.heard_of)

        assert alice.heard_of == ["dave"]
        assert bell.is_unsure()


def _session(tenant, username):
    return make_session(make_user(tenant, username, "owner"))
