"""Signing many people up."""

import asyncio
from random import Random

import pytest

from clients.terminal.newcomers import newcomer
from clients.terminal.rest import Rest
from clients.terminal.signups import Signups
from tests.clients.terminal.scripted import refusal

SIGNUP = "/api/v1/tenants/acme/signup"


@pytest.fixture
def sign_up(server):
    """Sign people up at the server, as fast as it goes."""

    async def sign_up(count, *, rate=1000.0, address=None):
        signups = Signups(Rest(address or server.address), "acme", Random(1), lambda tally: None)
        return await asyncio.to_thread(signups.run, count=count, rate=rate)

    return sign_up


async def test_everybody_is_somebody_else_and_gives_what_the_form_wants(server, sign_up):
    tally = await sign_up(20)

    bodies = [body for path, body in server.requests if path == SIGNUP]
    assert (tally.signed_up, tally.failures) == (20, [])
    assert len({body["username"] for body in bodies}) == 20
    assert all(
        {"username", "password"} <= set(body) <= {"username", "password", "full_name", "email", "phone"}
        for body in bodies
    )


async def test_the_pace_is_kept(sign_up):
    clock = asyncio.get_running_loop().time
    start = clock()

    await sign_up(5, rate=10.0)

    assert clock() - start >= 0.4


async def test_a_request_to_wait_is_obeyed_and_is_no_failure(server, sign_up):
    server.answers[SIGNUP] = [refusal(429, "too_many", "Slow down.", retry_after="1")] * 2

    tally = await sign_up(3)

    assert (tally.signed_up, tally.waits) == (3, 2)
    assert "the server asked to wait 2 times" in str(tally)


async def test_a_taken_name_is_not_asked_for_again(server, sign_up):
    server.answers[SIGNUP] = [refusal(409, "username_taken", "Taken.")]

    assert (await sign_up(1)).signed_up == 1

    first, second = [body["username"] for path, body in server.requests if path == SIGNUP]
    assert first != second


async def test_somebody_who_is_refused_does_not_stop_the_others(server, sign_up):
    server.answers[SIGNUP] = [refusal(400, "invalid", "No such phone.")]

    tally = await sign_up(3)

    assert tally.signed_up == 2
    assert "No such phone." in tally.failures[0]


async def test_a_tenant_that_takes_nobody_is_asked_once(server, sign_up):
    server.answers[SIGNUP] = [refusal(403, "signup_closed", "Sign-up is closed.")] * 50

    tally = await sign_up(50, rate=100.0)

    assert len(tally.failures) == 50
    assert "Sign-up is closed." in tally.failures[0]
    assert len(server.requests) < 50


async def test_a_server_that_stays_away_is_given_up(sign_up):
    tally = await sign_up(1, address="http://127.0.0.1:1")

    assert "does not answer" in tally.failures[0]


def test_people_are_varied():
    people = [newcomer(Random(seed)) for seed in range(300)]

    assert len({who.username for who in people}) > 290
    assert 0 < sum(not who.email for who in people) < 80
    assert 50 < sum(bool(who.phone) for who in people) < 200
    assert any(not who.full_name.isascii() for who in people)
