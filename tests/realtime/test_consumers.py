"""What an admitted client may say, and what comes of it: the whole application at the level of ASGI, with its hub."""

import pytest

from accounts import sessions
from accounts.tokens import AccessTokens
from realtime.routing import websocket
from tests.realtime.asgi import access_of, bearer, expired_access_of, refresh_of, session_of, visits
from tests.realtime.house import house, make_session, make_tenant, make_user
from tests.realtime.layers import until


class World:
    """Alice of acme with a session, and sockets."""

    def __init__(self, home, visit):
        self.home = home
        self.visit = visit

    async def begin(self):
        self.acme = await self.home.write(make_tenant, "acme")
        self.alice = await self.home.write(session_of, self.acme, "alice", "owner")

    async def socket(self, session=None, **more):
        """Connect and wait until caught up."""
        visitor = self.visit(headers=bearer(access_of(session or self.alice)), **more)
        await visitor.until(lambda v: v.kinds["synced"])
        return visitor

    async def dave(self, socket, name="dave"):
        """Create Dave, and wait until a socket has heard of him."""
        await self.home.write(make_user, self.acme, name)
        await socket.until(lambda v: any(f.get("message") == f"New user created: {name}" for f in v.frames))


@pytest.fixture
async def world(database):
    async with house() as home, visits(websocket) as visit:
        world = World(home, visit)
        await world.begin()
        yield world


async def test_the_way_from_the_handshake_to_an_event(world):
    alice = await world.socket()

    await world.dave(alice)

    assert [frame["type"] for frame in alice.frames] == ["ready", "synced", "user.created"]
    ready, _, event = alice.frames
    assert (ready["user"]["username"], ready["tenant"], ready["session"]) == ("alice", "acme", str(world.alice.pk))
    assert ready["fields"]["email"] == "view_user_contact"
    assert event["redacted"] == []


async def test_a_pong_is_taken_and_answered_with_nothing(world):
    alice = await world.socket()

    alice.write({"type": "pong"})
    await world.dave(alice)

    assert sum(alice.kinds.values()) == 3


@pytest.mark.parametrize(
    ("message", "close"),
    [
        ({"text": "hello"}, 4400),
        ({"text": '{"type":"ping"}'}, 4400),
        ({"bytes": b'{"type":"pong"}'}, 4400),
        ({"text": '{"type":"pong","x":1}'}, 4400),
        ({"text": "x" * 8193}, 4413),
        ({"text": '{"type":"auth","token":"nonsense"}'}, 4401),
    ],
)
async def test_what_is_not_understood_closes_and_nothing_is_heeded_after_it(world, message, close):
    alice = await world.socket()

    alice.say("receive", **message)
    alice.write({"type": "auth", "token": access_of(world.alice)})

    assert await alice.closed() == close
    await alice.leave()
    assert alice.heard[-1]["code"] == close


async def test_a_client_that_has_left_is_forgotten(world):
    alice, also_alice = await world.socket(), await world.socket()

    await alice.leave()
    assert len(world.home.hub.audiences[world.acme.pk].members) == 1
    await also_alice.leave()

    assert world.home.hub.audiences == {}


async def test_a_token_that_is_renewed_is_accepted_until_its_end(world):
    alice = await world.socket()

    alice.authenticate(world.alice)
    await alice.until(lambda v: v.kinds["auth.ok"])

    assert alice.frames[-1]["token_expires_at"].endswith("Z")
    await world.dave(alice)


async def test_with_a_token_of_another_session_the_socket_now_ends_with_that_one(world):
    alice = await world.socket()
    other = await world.home.write(make_session, world.alice.user)

    alice.authenticate(other)
    await alice.until(lambda v: v.kinds["auth.ok"])
    await world.home.write(sessions.end_session, world.alice.user, world.alice.pk, reason="logged_out")
    await world.dave(alice)
    await world.home.write(sessions.end_session, world.alice.user, other.pk, reason="logged_out")

    assert await alice.closed() == 4102


def of_somebody_else(world):
    return access_of(session_of(world.acme, "anna", "owner"))


def of_somebody_of_another_tenant(world):
    return access_of(session_of(make_tenant("globex"), "mallory", "owner"))


def expired(world):
    return expired_access_of(world.alice)


def a_refresh_token(world):
    return refresh_of(world.alice)


def of_a_session_that_has_ended(world):
    other = make_session(world.alice.user)
    sessions.end_session(world.alice.user, other.pk, reason="logged_out")
    return access_of(other)


def of_a_session_that_is_no_more(world):
    other = make_session(world.alice.user)
    token = access_of(other)
    other.delete()
    return token


@pytest.mark.parametrize(
    ("token_of", "close"),
    [
        (of_somebody_else, 4401),
        (of_somebody_of_another_tenant, 4401),
        (expired, 4101),
        (a_refresh_token, 4401),
        (of_a_session_that_has_ended, 4102),
        (of_a_session_that_is_no_more, 4102),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_another_token_shown_on_an_open_socket_ends_it(world, token_of, close):
    alice = await world.socket()
    token = await world.home.write(token_of, world)

    alice.write({"type": "auth", "token": token})

    assert await alice.closed() == close


async def test_a_fault_of_ours_closes_and_is_noted(world, monkeypatch, caplog):
    alice = await world.socket()

    def fail(self, token):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(AccessTokens, "read", fail)
    alice.write({"type": "auth", "token": "x"})

    assert await alice.closed() == 4001
    assert "a fault of ours" in caplog.text
    await alice.leave()


async def test_who_is_let_in_while_the_others_are_told_to_go_is_told_too(world):
    """Its handshake was begun before; nobody would ever tell it anything otherwise."""
    visitor = world.visit()
    await visitor.accepted()
    world.home.hub.is_draining = True

    visitor.authenticate(world.alice)

    assert await visitor.closed() == 4000
    await visitor.leave()
    await until(lambda: world.home.hub.audiences == {})


async def test_a_comeback_gets_what_was_missed(world):
    alice = await world.socket()
    for name in ("dave", "erin", "frank"):
        await world.dave(alice, name)
    cursor = alice.frames[2]["id"]

    again = await world.socket(query=f"after={cursor}")

    heard = [frame.get("message", frame["type"]) for frame in again.frames]
    assert heard == ["ready", "New user created: erin", "New user created: frank", "synced"]
    assert again.frames[-1] == {"type": "synced", "complete": True}


async def test_a_comeback_after_nothing_known_is_told_so(world):
    again = await world.socket(query="after=latest")

    assert again.frames[-1] == {"type": "synced", "complete": False, "reason": "unknown_cursor"}
