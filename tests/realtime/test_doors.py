"""How many sockets get in, exactly, and that each gives its places back whichever way it ends."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from accounts import sessions
from config.values import proxies
from realtime import authentication, routing
from realtime.doors import Doors
from realtime.identity import new_id
from realtime.protocol import Close
from tests.realtime.asgi import access_of, bearer, expired_access_of, session_of
from tests.realtime.house import make_session, make_tenant
from tests.realtime.layers import until


@pytest.fixture
def limit(settings):
    """Set limits: ``limit(sockets_per_user=2)``."""

    def limit(**limits):
        settings.USHER = settings.USHER.model_copy(update=limits)

    return limit


@pytest.fixture
def doors(monkeypatch):
    """The doors of the middleware that is made next, and of the whole application."""
    doors = Doors()
    monkeypatch.setattr(authentication, "Doors", lambda: doors)
    monkeypatch.setattr(routing._notifications, "_doors", doors)
    return doors


@pytest.fixture
async def visit(doors, visit):
    """Visitors whose places are counted at these doors."""
    return visit


@pytest.fixture
async def world(doors, world):
    """Alice, whose places are counted at these doors."""
    return world


def counts(doors):
    """Return how many keys are remembered as open, and as waiting."""
    return len(doors._open), len(doors._waiting)


async def in_another_tenant():
    return await sync_to_async(lambda: session_of(make_tenant("globex"), "mallory", "owner"))()


async def another_of_acme(bob):
    return await sync_to_async(session_of)(bob.user.tenant, "anna", "admin")


# limit, code of the handshake, code of the close, seconds to wait
LIMITS = [
    ("sockets_per_user", "user_limit", Close.USER_LIMIT, 429, 30),
    ("sockets_per_tenant", "tenant_limit", Close.TENANT_LIMIT, 429, 30),
    ("sockets_per_process", "node_full", Close.NODE_FULL, 503, 10),
]


@pytest.mark.parametrize(("name", "code", "close", "status", "seconds"), LIMITS)
async def test_over_a_limit_a_header_gets_a_status_and_a_message_a_close_code(
    visit, inside, bob, limit, doors, name, code, close, status, seconds
):
    limit(**{name: 2})
    open_ones = [visit(headers=bearer(access_of(bob))) for _ in range(2)]
    await until(lambda: len(inside.scopes) == 2)

    refused = await visit(headers=bearer(access_of(bob))).refused()
    by_message = visit()
    by_message.authenticate(bob)
    closed = await by_message.closed()

    assert (refused[0], refused[1], refused[2][b"retry-after"]) == (status, code, str(seconds).encode())
    assert closed == close
    goodbye = by_message.frames[-1]
    assert (goodbye["reconnect"], goodbye["retry_after_ms"]) == (True, seconds * 1000)
    assert len(inside.scopes) == 2
    await open_ones[0].leave()
    await visit(headers=bearer(access_of(bob))).accepted()


async def test_a_node_that_is_full_asks_nothing_of_the_database(visit, bob, limit):
    limit(sockets_per_process=1)
    await visit(headers=bearer(access_of(bob))).accepted()

    assert (await visit(headers=bearer("nonsense")).refused())[:2] == (503, "node_full")
    assert await visit().closed() == 4203, "without waiting for a token"


async def test_an_address_that_has_too_many_is_refused_before_its_token_is_looked_at(visit, bob, limit):
    limit(sockets_per_address=2)
    for _ in range(2):
        await visit(headers=bearer(access_of(bob))).accepted()

    for headers in (bearer(access_of(bob)), bearer("nonsense"), []):
        assert (await visit(headers=headers).refused())[:2] == (429, "address_limit")
    await visit(headers=bearer(access_of(bob)), address="192.0.2.8").accepted()


async def test_users_and_tenants_count_by_themselves(visit, bob, limit):
    limit(sockets_per_user=1, sockets_per_tenant=2)
    anna, mallory = await another_of_acme(bob), await in_another_tenant()

    for session in (bob, anna, mallory):
        await visit(headers=bearer(access_of(session))).accepted()

    assert (await visit(headers=bearer(access_of(bob))).refused())[1] == "user_limit"
    trudy = await sync_to_async(session_of)(bob.user.tenant, "trudy", "viewer")
    assert (await visit(headers=bearer(access_of(trudy))).refused())[1] == "tenant_limit"


async def test_handshakes_are_counted_per_address_whatever_becomes_of_them(visit, bob, limit):
    limit(handshakes_per_address="3/h")
    assert (await visit(query="token=x").refused())[0] == 400
    assert (await visit(headers=bearer("nonsense")).refused())[0] == 401
    await (await visit().until(lambda v: v.heard and v)).leave()

    status, code, headers = await visit(headers=bearer(access_of(bob))).refused()

    assert (status, code) == (429, "rate")
    assert 1 <= int(headers[b"retry-after"]) <= 3600
    await visit(headers=bearer(access_of(bob)), address="192.0.2.8").accepted()


async def test_handshakes_are_counted_per_user_from_wherever(visit, bob, limit):
    limit(handshakes_per_user="2/h")
    for number in range(2):
        await visit(headers=bearer(access_of(bob)), address=f"192.0.2.{number}").accepted()

    assert (await visit(headers=bearer(access_of(bob)), address="192.0.2.9").refused())[:2] == (429, "rate")
    by_message = visit(address="192.0.2.10")
    by_message.authenticate(bob)
    assert await by_message.closed() == 4202
    assert 0 < by_message.frames[-1]["retry_after_ms"] <= 3_600_000


async def test_handshakes_that_are_refused_count_for_their_user_too(visit, bob, limit, monkeypatch):
    limit(handshakes_per_user="2/h")
    carol = await sync_to_async(session_of)(bob.user.tenant, "carol", None)
    for _ in range(2):
        assert (await visit(headers=bearer(access_of(carol))).refused())[:2] == (403, "not_authorised")

    monkeypatch.setattr("realtime.authentication.admit", None)  # the database is not asked any more
    assert (await visit(headers=bearer(access_of(carol))).refused())[:2] == (429, "rate")


async def test_the_address_is_the_clients_where_a_proxy_is_trusted(visit, bob, limit):
    limit(sockets_per_address=1, trusted_proxies=proxies("192.0.2.7"))
    through = [visit(headers=[*bearer(access_of(bob)), ("X-Forwarded-For", f"198.51.100.{n}")]) for n in range(3)]
    for visitor in through:
        await visitor.accepted()

    spoofed = [*bearer(access_of(bob)), ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.1")]
    assert (await visit(headers=spoofed).refused())[1] == "address_limit"
    stranger = [("X-Forwarded-For", "203.0.113.9")]
    await visit(headers=[*bearer(access_of(bob)), *stranger], address="192.0.2.8").accepted()
    assert (await visit(headers=stranger, address="192.0.2.8").refused())[1] == "address_limit"


async def test_an_ipv6_network_is_one_address(visit, bob, limit):
    limit(sockets_per_address=1)
    await visit(headers=bearer(access_of(bob)), address="2001:db8::1").accepted()

    assert (await visit(address="2001:db8:0:0:ffff::2").refused())[1] == "address_limit"
    await visit(address="2001:db8:0:1::1").accepted()


# The ways a socket can end, each of which must give back all its places


async def refused(visit, bob):
    await visit(headers=bearer(access_of(bob)), query="token=x").refused()


async def refused_by_its_token(visit, bob):
    await visit(headers=bearer("nonsense")).refused()
    await visit(headers=bearer(expired_access_of(bob))).refused()


async def refused_by_its_message(visit, bob):
    visitor = visit()
    visitor.write("nonsense")
    await visitor.closed()
    await visitor.end()


async def left_before_it_was_answered(visit, bob):
    visitor = visit(headers=bearer(access_of(bob)))
    visitor.say("disconnect", code=1006)
    await visitor.end()


async def left_before_its_message(visit, bob):
    visitor = visit()
    await visitor.accepted()
    await visitor.leave()


async def left_right_after_its_message(visit, bob):
    visitor = visit()
    visitor.authenticate(bob)
    visitor.say("disconnect", code=1006)
    await visitor.end()


async def left(visit, bob):
    visitor = visit(headers=bearer(access_of(bob)))
    await visitor.accepted()
    await visitor.leave()


async def cancelled_as_by_a_server_that_is_killed(visit, bob):
    for headers in (bearer(access_of(bob)), []):
        visitor = visit(headers=headers)
        await visitor.accepted()
        visitor._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visitor.end()
        visitor.leave = lambda: asyncio.sleep(0)


async def came_to_a_server_that_drains(visit, bob):
    visit.home.hub.is_draining = True
    await visit(headers=bearer(access_of(bob))).refused()
    visit.home.hub.is_draining = False


async def was_one_too_many(visit, bob):
    visitors = [visit(headers=bearer(access_of(bob))) for _ in range(5)]
    await until(lambda: sum(visitor.has_ended for visitor in visitors) == 3)
    for visitor in visitors:
        await visitor.leave()


WAYS = [
    refused,
    refused_by_its_token,
    refused_by_its_message,
    left_before_it_was_answered,
    left_before_its_message,
    left_right_after_its_message,
    left,
    cancelled_as_by_a_server_that_is_killed,
    came_to_a_server_that_drains,
    was_one_too_many,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_socket_gives_its_places_back_however_it_ends(visit, bob, limit, doors, way):
    limit(sockets_per_user=2)

    for _ in range(3):
        await way(visit, bob)

    assert counts(doors) == (0, 0)


async def test_a_socket_that_the_hub_closes_gives_its_places_back(world, doors):
    for end in ("closed", "renewed", "drained", "failed"):
        session = await world.home.write(make_session, world.alice.user)
        alice = await world.socket(session)
        assert len(doors._open) == 4, "of address, process, user and tenant"
        if end == "renewed":
            session = await world.home.write(make_session, world.alice.user)
            alice.authenticate(session)
            await alice.until(lambda v: v.kinds["auth.ok"])
        if end == "drained":
            for audience in world.home.hub.audiences.values():
                for connection in list(audience.members):
                    connection.close(Close.DRAIN)
        elif end == "failed":
            alice.write("nonsense")
        else:
            await world.home.write(sessions.end_session, world.alice.user, session.pk, reason="logged_out")
        await alice.closed()
        await alice.leave()
        assert counts(doors) == (0, 0), end


async def test_a_client_that_says_too_much_is_closed_and_its_neighbour_is_not(world, limit):
    limit(messages_per_socket="5/h")
    alice, neighbour = await world.socket(), await world.socket()

    for _ in range(6):
        alice.write({"type": "pong"})

    assert await alice.closed() == 4202
    await alice.leave()
    for _ in range(5):
        neighbour.write({"type": "pong"})
    await world.dave(neighbour)


async def test_tokens_have_a_bucket_of_their_own_since_each_is_looked_up(world, limit):
    limit(renewals_per_socket="2/h")
    alice = await world.socket()

    for number in range(2):
        alice.authenticate(world.alice)
        await alice.until(lambda v, number=number: v.kinds["auth.ok"] == number + 1)
    alice.authenticate(world.alice)

    assert await alice.closed() == 4202
    await alice.leave()


def test_who_came_once_and_never_again_is_forgotten(limit, monkeypatch):
    limit(handshakes_per_address="1/min")
    doors = Doors()
    now = [1_000_000_000.0]
    monkeypatch.setattr(doors._handshakes, "_clock", lambda: now[0])
    for _ in range(100):
        doors.knock(str(new_id()))

    now[0] += 120
    doors.knock("192.0.2.1")

    assert sum(len(buckets) for _, *both in doors._handshakes._buckets.values() for buckets in both) == 1
