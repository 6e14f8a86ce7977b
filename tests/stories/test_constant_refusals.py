"""Whatever is wrong with a token, each door answers the same, byte for byte: a refusal teaches a forger nothing."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidHandshake

from tests.stories.people import Login, Story
from tests.stories.servers import TYPICAL
from tests.stories.tokens import relabelled, remade, tampered, unsigned

# What is refused here is decided before the database's or the layer's kind could matter.
pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")

NOW = int(time.time())
CODES = {4101: "token_expired", 4401: "unauthenticated"}
Forge = Callable[[str, str], str]
"""Makes a forged token of a good one and the key that signs good ones."""

FORGED: dict[str, Forge] = {
    "a signature off by one": lambda token, _: tampered(token),
    "no signature": lambda token, _: token.rpartition(".")[0] + ".",
    "none": lambda token, _: unsigned(token),
    "nOnE": lambda token, _: unsigned(token, alg="nOnE"),
    "none, signed": lambda token, key: relabelled(token, key, alg="none"),
    "HS512, by the right key": lambda token, key: relabelled(token, key, digest="sha512", alg="HS512"),
    "RS256 over the key": lambda token, key: relabelled(token, key, alg="RS256"),
    "another key": lambda token, _: remade(token, secrets.token_hex(32)),
    "an unknown key id": lambda token, key: relabelled(token, key, kid="00000000"),
    "a path as key id": lambda token, key: relabelled(token, key, kid="../../../dev/null"),
    "an address of keys": lambda token, key: relabelled(token, key, jku="https://mallory.test/keys"),
    "something critical": lambda token, key: relabelled(token, key, crit=["x"], x=1),
    "another type": lambda token, key: relabelled(token, key, typ="JWT"),
    "another issuer": lambda token, key: remade(token, key, iss="usher.mallory.test"),
    "several audiences": lambda token, key: remade(token, key, aud=["usher", "other"]),
    "no end": lambda token, key: remade(token, key, exp=None),
    "a huge end": lambda token, key: remade(token, key, exp=10**300),
    "a fraction of an end": lambda token, key: remade(token, key, exp=NOW + 3600.5),
    "a beginning to come": lambda token, key: remade(token, key, iat=NOW + 3 * 3600, exp=NOW + 4 * 3600),
    "not before tomorrow": lambda token, key: remade(token, key, nbf=NOW + 86400),
    "a list of sessions": lambda token, key: remade(token, key, sid=[]),
    "a number for a user": lambda token, key: remade(token, key, sub=1),
    "another kind": lambda token, key: remade(token, key, token_type="sliding"),
    "padding": lambda token, _: f"{token}=",
    "four parts": lambda token, _: f"{token}.AAAA",
    "long": lambda token, _: token + "A" * 6000,
    "no token": lambda _, __: "mellon",
}


def forgeries_of(login: Login, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return forged access tokens and forged refresh tokens, by what is wrong with them."""
    access = {name: forge(login.access, key) for name, forge in FORGED.items()}
    refresh = {name: forge(login.refresh, key) for name, forge in FORGED.items()}
    return access | {"a refresh token": login.refresh}, refresh | {"an access token": login.access}


async def rest(story: Story, token: str, _: str) -> Any:
    answer = await story.call("GET", "/me", token=token)
    return answer.json()["code"], answer.status_code, _without_id(answer.json()), answer.headers["www-authenticate"]


async def handshake(story: Story, token: str, _: str) -> Any:
    refusal = await story.refusal(token=token)
    return refusal.body["code"], refusal.status, _without_id(refusal.body)


async def first_message(story: Story, token: str, _: str) -> Any:
    socket = await story.raw_socket()
    await socket.say(type="auth", token=token)
    end = await socket.closed()
    return CODES[end.code], end


async def renewal(story: Story, token: str, good: str) -> Any:
    socket = await story.raw_socket(token=good)
    await socket.catch_up()
    await socket.say(type="auth", token=token)
    end = await socket.closed()
    return CODES[end.code], end


async def refreshing(story: Story, token: str, _: str) -> Any:
    answer = await story.call("POST", "/auth/token/refresh", refresh=token)
    return answer.json()["code"], answer.status_code, _without_id(answer.json()), answer.headers["www-authenticate"]


def _without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "request_id"}


DOORS = [rest, handshake, first_message, renewal, refreshing]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_every_forged_token_is_answered_alike_and_an_expired_one_otherwise(story, door):
    key = story.server.jwt_key
    bob = await story.hire("bob", role="viewer")
    login = await story.log_in(bob)
    access, refresh = forgeries_of(login, key)
    expired = remade(login.refresh if door is refreshing else login.access, key, iat=NOW - 7200, exp=NOW - 3600)

    answers = {
        name: await door(story, token, login.access)
        for name, token in (refresh if door is refreshing else access).items()
    }

    first, *others = answers
    assert {name: answers[name] for name in others if answers[name] != answers[first]} == {}
    assert answers[first][0] == "unauthenticated"
    assert (await door(story, expired, login.access))[0] == "token_expired"
    await story.call("POST", "/auth/token/refresh", refresh=login.refresh, expect=200)


async def test_a_hundred_kilobytes_of_token_are_refused_wherever_they_are_shown(story):
    token = (await story.token("bob")) + "A" * 100_000
    socket = await story.raw_socket()

    await socket.say(type="auth", token=token)

    assert (await socket.closed()).code in (4413, 1009)
    assert (await story.call("POST", "/auth/token/refresh", refresh=token)).status_code == 400
    # The server itself may find the head too long, and may drop the connection before all of it was sent.
    with suppress(httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError):
        assert (await story.call("GET", "/me", token=token)).status_code in (400, 401, 431)
    with suppress(ConnectionError, InvalidHandshake):
        assert (await story.refusal(token=token)).status in (400, 401, 431)


@pytest.mark.parametrize("spelling", [" {}", "{} ", "\u2028{}", "{}\n", "{}\x00", "é.é.é", "\ud800"])
async def test_what_no_header_could_carry_is_refused_in_a_message(story, spelling):
    good = await story.token("bob")
    first, renewed = await story.raw_socket(), await story.socket("bob")

    for socket in (first, renewed):
        await socket.say(type="auth", token=spelling.format(good))

    for socket in (first, renewed):
        assert (await socket.closed()).code in (4400, 4401)
