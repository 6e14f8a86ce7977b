"""Whoever creates somebody and asks again with the same key: one user, whatever happened to the first answer."""

import asyncio
import json
import signal
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from tests.stories.people import API, newcomer
from tests.stories.sockets import PATIENCE

AT_ONCE = 50


async def ask(stories, path, key, body, token=None):
    """Ask each server in turn, all at once, ``AT_ONCE`` times in all; returns the answers."""
    headers = {"Idempotency-Key": key} | ({"Authorization": f"Bearer {token}"} if token else {})
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False, limits=limits) as client:
        return await asyncio.gather(
            *(
                client.post(f"{stories[turn % len(stories)].server.address}{API}{path}", headers=headers, json=body)
                for turn in range(AT_ONCE)
            )
        )


async def ask_and_read_nothing(address, key, body, token):
    """Send a creation, and leave what is answered where it is."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    content = json.dumps(body)
    writer.write(
        f"POST {API}/users HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\r\n"
        f"{content}".encode()
    )
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])
async def test_fifty_at_once_with_one_key_are_one_user(stories_on, demo_database, redis, vendor):
    common = {"DATABASE_URL": demo_database(vendor)}
    if vendor == "postgresql":
        stories = stories_on("daphne", "uvicorn", **common, REDIS_URL=redis.url)
    else:
        stories = stories_on("uvicorn", **common)
    (alice,) = await stories[0].sockets("alice")
    token = await stories[0].token("alice")
    erin, dave = newcomer("erin", "acme"), newcomer("dave", "acme")

    created = await ask(stories, "/users", str(uuid4()), {"username": erin.username}, token)
    body = {"username": dave.username, "password": dave.password}
    joined = await ask(stories, "/tenants/acme/signup", str(uuid4()), body)
    await stories[0].sign_up("frank")

    for answers in (created, joined):
        assert set(Counter(answer.status_code for answer in answers)) <= {201, 409}
        made = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.content for answer in made}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1, "made by one of them"
        refused = [answer for answer in answers if answer.status_code == 409]
        assert {answer.json()["code"] for answer in refused} <= {"idempotency_in_progress"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    heard = [(await alice.next_created()).data["username"] for _ in range(3)]
    assert heard[:2] == [erin.username, dave.username], "one event each: a second would have come before Frank's"
    assert heard[2].startswith("frank")


async def test_the_answer_that_a_killed_server_took_along_is_given_by_another(stories_on, demo_database, redis):
    common = {"DATABASE_URL": demo_database("postgresql"), "REDIS_URL": redis.url}
    killed, story = stories_on("daphne", "uvicorn", **common)
    (alice,) = await story.sockets("alice")
    erin = newcomer("erin", "acme")
    token, key = await story.token("alice"), str(uuid4())

    _, writer = await ask_and_read_nothing(killed.server.address, key, {"username": erin.username}, token)
    first = await alice.next_created()  # it was committed, and whoever asked has not been told
    killed.server.process.end(signal.SIGKILL)
    writer.close()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    async with httpx.AsyncClient(base_url=f"{story.server.address}{API}", timeout=PATIENCE) as client:
        retry = await client.post("/users", headers=headers, json={"username": erin.username})
    await story.sign_up("frank")

    assert (retry.status_code, retry.headers.get("Idempotency-Replayed")) == (201, "true")
    assert (retry.json()["id"], first.data["username"]) == (first.data["id"], erin.username)
    assert (await alice.next_created()).data["username"].startswith("frank"), "Erin was created once"
