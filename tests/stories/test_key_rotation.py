"""The key of the tokens is changed under everybody's feet, and nobody is logged out."""

import secrets

import jwt

from tests.stories.people import login_of


async def test_a_new_key_comes_and_the_old_one_goes_without_anybody_noticing(stories_on, demo_database):
    old_key, new_key = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
    database = demo_database("postgresql")
    # As in the middle of the second round of restarts: one process signs with the old key still, one with the new.
    before, after = stories_on("daphne", DATABASE_URL=database, USHER_JWT_KEY=old_key, USHER_JWT_OTHER_KEYS=new_key) + (
        stories_on("uvicorn", DATABASE_URL=database, USHER_JWT_KEY=new_key, USHER_JWT_OTHER_KEYS=old_key)
    )
    bob = await before.hire("bob", role="viewer")
    of_old_key = await before.log_in(bob)

    socket = await after.raw_socket(token=of_old_key.access)
    await socket.catch_up()
    await after.call("GET", "/me", token=of_old_key.access, expect=200)
    of_new_key = login_of(await after.call("POST", "/auth/token/refresh", refresh=of_old_key.refresh, expect=200))
    await socket.say(type="auth", token=of_new_key.access)
    await socket.next_of("auth.ok")

    assert _kid(of_old_key.access) != _kid(of_new_key.access) == _kid(of_new_key.refresh)
    await before.call("GET", "/me", token=of_new_key.access, expect=200)
    await (await before.raw_socket(token=of_new_key.access)).catch_up()
    back = login_of(await before.call("POST", "/auth/token/refresh", refresh=of_new_key.refresh, expect=200))
    assert _kid(back.access) == _kid(of_old_key.access)


async def test_a_key_that_has_gone_opens_nothing(stories_on, demo_database):
    old_key, new_key = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
    database = demo_database("postgresql")
    before, after = stories_on("daphne", DATABASE_URL=database, USHER_JWT_KEY=old_key) + (
        stories_on("uvicorn", DATABASE_URL=database, USHER_JWT_KEY=new_key)
    )
    login = await before.log_in("bob")
    await before.call("GET", "/me", token=login.access, expect=200)

    assert (await after.refusal(token=login.access)).code == "unauthenticated"
    for answer in (
        await after.call("GET", "/me", token=login.access),
        await after.call("POST", "/auth/token/refresh", refresh=login.refresh),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert old_key not in before.server.process.output() + after.server.process.output()


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
