"""Each library does its part: where it is taken away, by tests/stories/without.py, the story ends otherwise."""

import asyncio
import secrets

import pytest

from tests.stories.sockets import Refused
from tests.stories.tokens import remade

SECONDS_TO_HEAR = 3
"""A hundred times what a bell takes, and a twentieth of the sweep here."""


async def test_simplejwt_is_what_checks_tokens(stories_on, demo_database):
    (story,) = stories_on("uvicorn", DATABASE_URL=demo_database("sqlite"))
    (without,) = stories_on("uvicorn", DATABASE_URL=demo_database("sqlite"), WITHOUT="simplejwt")
    another_key = secrets.token_hex(32)

    with pytest.raises(Refused):
        await story.raw_socket(token=remade(await story.token("alice"), another_key))

    socket = await without.raw_socket(token=remade(await without.token("alice"), another_key))
    await socket.catch_up()
    assert socket.ready["user"]["username"] == "alice"


async def test_guardian_is_what_gives_grants(stories_on, demo_database):
    (story,) = stories_on("uvicorn", DATABASE_URL=demo_database("sqlite"))
    (without,) = stories_on("uvicorn", DATABASE_URL=demo_database("sqlite"), WITHOUT="guardian")

    dave, erin = await story.sign_up("dave"), await without.sign_up("erin")

    assert await story.row(dave, seen_by="alice")
    assert await story.row(dave, seen_by="bob")
    assert await without.row(erin, seen_by="alice") is None
    assert await without.row(erin, seen_by="bob") is None


async def test_the_layer_is_what_carries_bells(stories_on, demo_database, redis):
    common = {"DATABASE_URL": demo_database("postgresql"), "REDIS_URL": redis.url, "USHER_SWEEP_SECONDS": "60"}
    (story,) = stories_on("uvicorn", **common)
    (without,) = stories_on("uvicorn", **common, WITHOUT="layer")
    here, there = await story.socket("bob"), await without.socket("bob")

    dave = await story.sign_up("dave")
    async with asyncio.timeout(SECONDS_TO_HEAR):
        assert (await there.next_created()).data["id"] == dave.id
        assert (await here.next_created()).data["id"] == dave.id

    erin = await without.sign_up("erin")
    assert (await there.next_created()).data["id"] == erin.id, "within one process the layer is not needed"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_HEAR):
            await here.next()
