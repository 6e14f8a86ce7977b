"""The REST calls on the protocol's page: sent as they stand there, and answered as they stand there."""

from typing import Any

import httpx
import pytest

from config.env import PROJECT
from tests.docs.pages import examples

PAGE = (PROJECT / "docs" / "protocol.md").read_text()


def exchanges() -> list[tuple[str, str, Any, int, Any]]:
    """Return method, path, body, status and answer of each call on the page, in its order."""
    found: list[tuple[str, str, Any, int, Any]] = []
    asked: tuple[str, str, Any] = ("", "", None)
    for example in examples(PAGE, "json"):
        match example.words:
            case ("request", method, path):
                asked = (method, path, example.json)
            case ("answer", status):
                found.append((*asked, int(status), example.json))
            case ("answer", status, method, path):
                found.append((method, path, None, int(status), example.json))
    return found


def shape(value: Any) -> Any:
    """Return the names and types of what an answer holds, in order; of a list, what its members have in common."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        shapes = [shape(member) for member in value]
        return [found for place, found in enumerate(shapes) if found not in shapes[:place]]
    return type(value).__name__


@pytest.fixture
def newest(documented_demo) -> dict[str, Any]:
    """Somebody who has just signed up, with the fields of the Dave on the page."""
    return documented_demo.sign_up("dave-of-the-protocol", email="dave@mail.test")


@pytest.mark.usefixtures("newest")
def test_calls_are_answered_as_the_page_says(documented_demo):
    tokens = {}
    calls = exchanges()
    assert len(calls) == 5
    for method, path, shown, status, expected in calls:
        body = {"refresh": tokens["refresh"]} if shown and "refresh" in shown else shown
        headers = {"Authorization": f"Bearer {tokens['access']}"} if tokens else {}

        answer = httpx.request(method, documented_demo.url + path, json=body, headers=headers)

        assert answer.status_code == status, (method, path, answer.text)
        assert shape(answer.json()) == shape(expected), (method, path)
        if "access" in expected:
            tokens = answer.json()
            assert tokens["expires_in"] == expected["expires_in"]
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert {**answer.json(), "request_id": expected["request_id"]} == expected
