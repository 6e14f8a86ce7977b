"""The calls that log people in, and what a refusal must look like."""

from typing import Any

from tests.accounts.house import PASSWORD, Answer, Caller


def log_in(username: str = "alice", *, password: str = PASSWORD, tenant: str | None = "acme", **headers: str) -> Answer:
    """Log somebody in; an operator with tenant None."""
    credentials = {"username": username, "password": password} | ({"tenant": tenant} if tenant is not None else {})
    return Caller()("POST", "auth/token", credentials, **headers)


def renew(refresh_token: str) -> Answer:
    """Ask for the next pair."""
    return Caller()("POST", "auth/token/refresh", {"refresh": refresh_token})


def holder_of(pair: dict[str, Any]) -> Caller:
    """Return a caller with the pair's access token."""
    return Caller(pair["access"])


def assert_problem(answer: Answer, status: int, code: str, about: object = None) -> dict[str, Any]:
    """Check that an answer is this problem, and return its body."""
    assert (answer.status, answer.body["code"]) == (status, code), (about, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"status", "title", "code", "detail", "request_id"} <= set(answer.body)
    assert answer.body["status"] == status
    assert answer.body["detail"]
    assert answer.body["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers.get("WWW-Authenticate") == ('Bearer realm="usher"' if status == 401 else None)
    body: dict[str, Any] = answer.body
    return body
