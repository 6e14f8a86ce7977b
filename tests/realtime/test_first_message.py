"""Sockets that show their token by message: what else they say, how long they may wait, and how many of them."""

import asyncio
from unittest.mock import AsyncMock

import pytest

from realtime import authentication, draining
from realtime.admission import admit
from realtime.authentication import JWTAuthMiddleware
from tests.realtime.asgi import access_of, bearer, visits
from tests.realtime.layers import until


@pytest.mark.parametrize(
    ("message", "close"),
    [
        ({"text": '{"type":"pong"}'}, 4400),
        ({"text": "hello"}, 4400),
        ({"text": '{"type":"subscribe"}'}, 4400),
        ({"text": '{"type":"auth","token":"x","tenant":"acme"}'}, 4400),
        ({"text": ""}, 4400),
        ({"bytes": b'{"type":"auth","token":"x"}'}, 4400),
        ({"bytes": b"", "text": None}, 4400),
        ({"text": '{"type":"auth","token":"%s"}' % ("x" * 8192)}, 4413),
        ({"text": "[" * 100_000}, 4413),
        ({"text": '{"type":"auth","token":"nonsense"}'}, 4401),
    ],
)
async def test_a_first_message_of_another_kind_closes(visit, inside, message, close):
    visitor = visit()

    visitor.say("receive", **message)

    assert await visitor.closed() == close
    assert inside.scopes == []


async def test_a_first_message_that_does_not_come_in_time_closes(visit, inside, settings):
    settings.USHER = settings.USHER.model_copy(update={"auth_seconds": 0.01})

    visitor = visit()

    assert await visitor.closed() == 4408
    await visitor.end()
    assert inside.scopes == []


async def test_who_takes_no_goodbye_is_cut_off(visit, inside, settings, monkeypatch):
    settings.USHER = settings.USHER.model_copy(update={"auth_seconds": 0.01})
    monkeypatch.setattr(authentication, "CLOSING_SECONDS", 0.01)
    dropped = []

    visitor = visit(has_lane=True, abort=lambda: dropped.append(True), takes=1)

    await visitor.end()
    assert [message["type"] for message in visitor.heard] == ["websocket.accept"]
    assert dropped == [True]
    assert visit.home.hub._outside == 0
    assert inside.scopes == []


async def test_a_server_that_never_had_a_socket_lets_nobody_in_on_its_way_out(inside):
    await draining.drain()

    async with visits(JWTAuthMiddleware(inside)) as visit:
        assert (await visit(headers=bearer("any")).refused())[:2] == (503, "draining")


async def test_who_has_said_nothing_when_the_server_is_told_to_go_is_told_to_come_back(visit, inside, monkeypatch):
    monkeypatch.setattr(visit.home.hub, "stop", AsyncMock())  # it ends with the test
    waiting = [visit() for _ in range(10)]
    for visitor in waiting:
        await visitor.accepted()

    await draining.drain()
    monkeypatch.undo()

    hints = {visitor.frames[-1]["retry_after_ms"] for visitor in waiting}
    assert [await visitor.closed() for visitor in waiting] == [4000] * 10, "the drain has waited for all of them"
    assert len(hints) > 1
    assert max(hints) <= 5000
    assert inside.scopes == []


async def test_who_leaves_before_saying_anything_is_told_nothing(visit, inside):
    visitor = visit()
    await visitor.accepted()

    await visitor.leave()

    assert len(visitor.heard) == 1
    assert inside.scopes == []


async def test_so_many_sockets_of_one_address_may_wait_and_the_next_is_refused_before_it_is_accepted(
    visit, inside, bob, settings
):
    settings.USHER = settings.USHER.model_copy(update={"waiting_per_address": 10})
    waiting = [visit() for _ in range(10)]
    for visitor in waiting:
        await visitor.accepted()

    status, code, headers = await visit().refused()
    assert (status, code, headers[b"retry-after"]) == (429, "too_many_waiting", b"5")
    await visit(address="192.0.2.8").accepted()
    await visit(headers=bearer(access_of(bob))).accepted()  # who shows a token does not wait

    waiting[0].authenticate(bob)
    await until(lambda: len(inside.scopes) == 2)
    await waiting[1].leave()
    for _ in range(2):
        await visit().accepted()
    assert (await visit().refused())[0] == 429


async def test_so_many_sockets_may_wait_in_all(visit, settings):
    settings.USHER = settings.USHER.model_copy(update={"waiting_per_process": 200})
    for number in range(200):
        await visit(address=f"192.0.2.{number // 10}").accepted()

    assert (await visit(address="198.51.100.1").refused())[:2] == (429, "too_many_waiting")


async def test_who_has_shown_a_token_waits_no_more_though_the_database_takes_its_time(
    visit, bob, settings, monkeypatch
):
    settings.USHER = settings.USHER.model_copy(update={"waiting_per_address": 1})
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def admit_later(claims):
        asked.set()
        await may_answer.wait()
        return await admit(claims)

    monkeypatch.setattr("realtime.authentication.admit", admit_later)
    first = visit()
    await first.accepted()
    first.authenticate(bob)
    await asked.wait()

    await visit().accepted()
    may_answer.set()


async def test_who_is_refused_gives_the_place_back(visit, settings):
    settings.USHER = settings.USHER.model_copy(update={"waiting_per_address": 10})
    for _ in range(15):
        visitor = visit()
        visitor.write("nonsense")
        assert await visitor.closed() == 4400
        await visitor.end()
