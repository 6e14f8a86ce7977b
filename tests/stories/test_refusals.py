"""Tokens that open nothing, shown in every way there is: each is refused as the protocol says, and without a trace."""

import pytest

from tests.stories.bad_tokens import CLOSES, TOKENS
from tests.stories.servers import TYPICAL

# What is refused here is decided before the database's or the layer's kind could matter.
pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")
each_token = pytest.mark.parametrize(("make", "verdict"), TOKENS, ids=[make.__name__ for make, _ in TOKENS])


@each_token
async def test_a_handshake_is_refused_with_a_status(story, make, verdict):
    refusal = await story.refusal(token=await make(story))

    assert refusal.status == verdict[0]
    assert refusal.code in (verdict[1], None)
    assert refusal.code or story.server.name == "daphne", "uvicorn takes a body"
    assert not story.server.complaints(), "it says nothing of the token"


@each_token
async def test_a_first_message_is_refused_with_a_code(story, make, verdict):
    socket = await story.raw_socket()

    await socket.say(type="auth", token=await make(story))

    end = await socket.closed()
    assert end.code == CLOSES[verdict]
    assert end.goodbye is not None
    assert end.goodbye["code"] == CLOSES[verdict]
    assert end.goodbye["reconnect"] is (CLOSES[verdict] < 4400)
    assert not story.server.complaints(), "it says nothing of the token"


@each_token
async def test_the_api_refuses_it_with_the_same_code(story, make, verdict):
    answer = await story.call("GET", "/users", token=await make(story))

    assert (answer.status_code, answer.json()["code"]) == verdict
    assert not story.server.complaints(), "it says nothing of the token"
    assert answer.headers["content-type"] == "application/problem+json"
