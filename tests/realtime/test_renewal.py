"""Another token on an open socket: accepted if it is the same person's, or the end."""

import pytest

from accounts import sessions
from tests.realtime.asgi import access_of, expired_access_of, refresh_of, session_of
from tests.realtime.house import make_session, make_tenant


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
