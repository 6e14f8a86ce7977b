"""How a handshake is refused: with a real status and a problem, or by closing where the server cannot answer."""

import json
from http import HTTPStatus

import pytest

from realtime.handshake import Turned, turn_away


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (400, {}),
        (401, {b"www-authenticate": b'Bearer realm="usher"'}),
        (403, {}),
        (404, {}),
        (429, {b"retry-after": b"5"}),
        (503, {b"retry-after": b"5"}),
    ],
)
async def test_a_refusal_is_a_problem_with_a_real_status(status, more):
    start, body = await _turned_away(status, {"websocket.http.response": {}})

    headers = dict(start["headers"])
    assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
    assert headers == {
        b"content-type": b"application/problem+json",
        b"content-length": str(len(body["body"])).encode(),
        b"cache-control": b"no-store",
        **more,
    }
    problem = json.loads(body["body"])
    assert len(problem.pop("request_id")) == 32
    assert problem == {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "code": "some_code",
        "detail": "some words",
    }


async def test_every_refusal_has_an_id_of_its_own():
    ids = {
        json.loads((await _turned_away(403, {"websocket.http.response": {}}))[1]["body"])["request_id"] for _ in "ab"
    }

    assert len(ids) == 2


async def test_a_server_that_cannot_answer_is_told_to_close():
    assert await _turned_away(401, {}) == [{"type": "websocket.close", "code": 4403}]


async def _turned_away(status, extensions):
    sent = []

    async def send(message):
        sent.append(message)

    await turn_away({"type": "websocket", "extensions": extensions}, send, Turned(status, "some_code", "some words"))
    return sent
