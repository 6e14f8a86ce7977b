"""Bodies are read strictly: what is not asked for is refused, and so is what is not quite JSON."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.accounts.api_calls import assert_problem
from tests.accounts.house import PASSWORD, Answer

ALICE = {"tenant": "acme", "username": "alice", "password": PASSWORD}

REFUSED: dict[str, tuple[str, Any]] = {
    "unknown field": ("auth/token", ALICE | {"is_staff": True}),
    "unknown field that no answer can spell": ("auth/token", ALICE | {"é" * 500: 1}),
    "missing field": ("auth/token", {"tenant": "acme", "username": "alice"}),
    "number for a string": ("auth/token", ALICE | {"username": 1}),
    "true for a string": ("auth/token", ALICE | {"username": True}),
    "null for a string": ("auth/token", ALICE | {"username": None}),
    "object for a string": ("auth/token", ALICE | {"tenant": {"slug": "acme"}}),
    "NUL": ("auth/token", ALICE | {"username": "ali\0ce"}),
    "password too long": ("auth/token", ALICE | {"password": "x" * 1025}),
    "list": ("auth/token", [ALICE]),
    "string": ("auth/token", "alice"),
    "null": ("auth/token", None),
    "access for refresh": ("auth/token/refresh", {"access": "x"}),
    "token too long": ("auth/token/refresh", {"refresh": "x" * 8193}),
    "refresh at log-out": ("auth/logout", {"refresh": "x"}),
    "user at password": ("auth/password", {"current": PASSWORD, "new": "correct horse battery", "user": "bob"}),
}

NOT_JSON: dict[str, bytes] = {
    "nothing like it": b"tenant=acme",
    "cut short": b'{"tenant": "acme"',
    "the same key twice": b'{"username": "alice", "username": "bob"}',
    "the same key twice, deep inside": b'{"a": [{"b": 1, "b": 2}]}',
    "NaN": b'{"username": NaN}',
    "Infinity": b'{"username": Infinity}',
    "a number that is infinite": b'{"username": 1e999}',
    "5,000 digits": b'{"username": ' + b"9" * 5000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "Latin-1": '{"username": "é"}'.encode("latin-1"),
    "UTF-16": '{"username": "alice"}'.encode("utf-16"),
    "a lone surrogate": b'{"username": "\\ud800"}',
    "a lone surrogate in a key": b'{"\\udfff": 1}',
}


def post(path: str, body: bytes, *, content_type: str = "application/json", token: str | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = Client().post(f"/api/v1/{path}", body, content_type=content_type, headers=headers)
    return Answer(response.status_code, json.loads(response.content), response.content, response.headers)


def test_a_body_with_anything_but_the_fields_asked_for_is_refused(house):
    token = house.token("alice")

    for about, (path, body) in REFUSED.items():
        problem = assert_problem(post(path, json.dumps(body).encode(), token=token), 400, "invalid", about)
        assert problem["errors"], about


def test_a_refusal_names_the_field_and_what_was_expected():
    problem = post("auth/token", json.dumps(ALICE | {"is_staff": True}).encode()).body

    assert problem["detail"] == "is_staff: is not a field here; expected tenant, username, password."
    assert problem["errors"] == {"is_staff": ["is not a field here; expected tenant, username, password."]}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_not_quite_json_is_refused(body):
    assert_problem(post("auth/token", body), 400, "bad_request")


def test_a_body_of_more_than_a_mebibyte_is_refused_unread():
    assert_problem(post("auth/token", b" " * (1024 * 1024 + 1)), 413, "too_large")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_only_json_is_taken(kind):
    assert_problem(post("auth/token", b"tenant=acme", content_type=kind), 415, "unsupported_media_type")


def test_an_unknown_method_and_format_are_problems_too():
    answers = [Client().get("/api/v1/auth/token"), Client().get("/api/v1/me", headers={"Accept": "text/html"})]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (405, "method_not_allowed"),
        (406, "not_acceptable"),
    ]
    assert all(answer["Content-Type"] == "application/problem+json" for answer in answers)
