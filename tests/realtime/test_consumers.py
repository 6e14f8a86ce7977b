"""What an admitted client may say, and what comes of it: the whole application at the level of ASGI, with its hub."""

import pytest

from accounts.tokens import AccessTokens
from tests.realtime.asgi import access_of
from tests.realtime.layers import until


async def test_the_way_from_the_handshake_to_an_event(world):
    alice = await world.socket()

    await world.dave(alice)

    assert [frame["type"] for frame in alice.frames] == ["ready", "synced", "user.created"]
    ready, _, event = alice.frames
    assert (ready["user"]["username"], ready["tenant"], ready["session"]) == ("alice", "acme", str(world.alice.pk))
    assert ready["fields"]["email"] == "view_user_contact"
    assert event["redacted"] == []


@pytest.mark.parametrize("switch", ["on", "off"])
async def test_frames_go_by_the_servers_lane_unless_it_is_switched_off(world, settings, switch):
    settings.USHER = settings.USHER.model_copy(update={"fast_lane": switch})
    alice = await world.socket(has_lane=True)

    await world.dave(alice)

    kinds = [frame["type"] for frame in alice.frames]
    assert kinds == ["ready", "synced", "user.created"]
    assert alice.by_lane == (kinds if switch == "on" else [])


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
