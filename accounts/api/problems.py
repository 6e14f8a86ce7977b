"""
Every error of the API as problem+json (RFC 9457): ``{status, title, code, detail, request_id}``.

``code`` is for programs and stays; ``detail`` is for people and says the value, the expectation, the way out.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from accounts import refusals
from accounts.api.outage import Complaint, is_outage
from accounts.authentication import CHALLENGE
from realtime.ports import TokenRefused

CONTENT_TYPE = "application/problem+json"
DATABASE_GONE_SECONDS = 5


class Problem(exceptions.APIException):
    """An error on its way to the caller. ``more`` are members beside the five that every problem has."""

    status_code: int = 400
    code: ClassVar[str] = "bad_request"
    sentence: ClassVar[str] = "The request cannot be understood."

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.sentence, code or self.code)
        self.status_code = status or self.status_code
        self.problem_code = code or self.code
        self.retry_after = retry_after
        self.more = dict(more or {})

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"WWW-Authenticate": CHALLENGE} if self.status_code == HTTPStatus.UNAUTHORIZED else {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, ceil(self.retry_after)))
        return headers


class Unauthenticated(Problem):
    """Nobody knows who calls: no token, or one that is none of ours."""

    status_code = 401
    code = "unauthenticated"
    sentence = "Expected 'Authorization: Bearer <access token>' with a token from /api/v1/auth/token."


class NotAuthorised(Problem):
    """The caller is known, may see the row or list at hand, and may not do this with it."""

    status_code = 403
    code = refusals.NotAuthorised.code
    sentence = refusals.NotAuthorised.sentence


class NotFound(Problem):
    """Nothing there: the same words for what never was, what is another tenant's and what is hidden."""

    status_code = 404
    code = refusals.Hidden.code
    sentence = refusals.Hidden.sentence


class Invalid(Problem):
    """A field of the body has a value that is not accepted; ``errors`` maps fields to sentences."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, Any], detail: str | None = None, *, code: str | None = None) -> None:
        super().__init__(detail or _first_sentence(errors), code=code, more={"errors": dict(errors)})


STATUS_OF_REFUSALS: Mapping[type[refusals.Refused], int] = {
    refusals.BadCredentials: 401,
    refusals.SessionEnded: 401,
    refusals.NotAuthorised: 403,
    refusals.Hidden: 404,
    refusals.TenantSuspended: 503,
    refusals.TooManyFailures: 429,
    refusals.TooManyLogIns: 429,
    refusals.Busy: 503,
    refusals.TokenInUrl: 400,
    refusals.WrongPassword: 400,
    refusals.WeakPassword: 400,
    refusals.FieldsRefused: 400,
    refusals.UnknownRole: 400,
    refusals.NotHeld: 403,
    refusals.KeyReused: 422,
}
"""Any other refusal is a conflict with things as they are."""

OF_FRAMEWORK: Sequence[tuple[tuple[type[Exception], ...], type[Problem]]] = (
    ((Http404, exceptions.NotFound), NotFound),
    ((PermissionDenied, exceptions.PermissionDenied), NotAuthorised),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), Unauthenticated),
)
CODES_OF_STATUS = {405: "method_not_allowed", 406: "not_acceptable", 415: "unsupported_media_type"}
EXPIRED = "This token has expired; get a new one with the refresh token."
# Not "nothing was done": where an answer is lost, the transaction may have been committed.
DATABASE_GONE = "The database does not answer; what was asked for may have been done or not. Try again."
_complaint = Complaint()


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response for an error in a view, or None for a mistake of ours (Django then answers 500)."""
    problem = problem_of(error)
    if problem is None:
        return None
    body = {
        "status": problem.status_code,
        "title": HTTPStatus(problem.status_code).phrase,
        "code": problem.problem_code,
        "detail": str(problem.detail),
        "request_id": getattr(context.get("request"), "request_id", ""),
    }
    return Response(body | problem.more, status=problem.status_code, headers=problem.headers, content_type=CONTENT_TYPE)


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that tells a caller of an error, or None for an error that it should not learn about."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, refusals.Refused):
        return _of_refusal(error)
    if isinstance(error, TokenRefused):
        return Unauthenticated(EXPIRED, code="token_expired") if error.reason == "expired" else Unauthenticated()
    if isinstance(error, DatabaseError | InterfaceError) and is_outage(error):
        _complaint.about(error)
        return Problem(DATABASE_GONE, code="unavailable", status=503, retry_after=DATABASE_GONE_SECONDS)
    return _of_framework(error)


def _of_framework(error: Exception) -> Problem | None:
    for kinds, problem in OF_FRAMEWORK:
        if isinstance(error, kinds):
            return problem()
    if isinstance(error, exceptions.ValidationError):
        return Invalid(error.detail if isinstance(error.detail, dict) else {"body": error.detail})
    if isinstance(error, exceptions.Throttled):
        wait: float | None = getattr(error, "wait", None)
        return Problem("Too many requests; wait.", code="throttled", status=429, retry_after=wait or 1)
    if isinstance(error, exceptions.APIException):
        code = CODES_OF_STATUS.get(error.status_code, Problem.code)
        return Problem(str(error.detail), code=code, status=error.status_code)
    return None


def _of_refusal(refusal: refusals.Refused) -> Problem:
    status = next((STATUS_OF_REFUSALS[kind] for kind in type(refusal).__mro__ if kind in STATUS_OF_REFUSALS), 409)
    return Problem(
        str(refusal),
        code=refusal.code,
        status=status,
        retry_after=getattr(refusal, "retry_after_seconds", None),
        more={"errors": errors} if (errors := getattr(refusal, "errors", None)) else None,
    )


def _first_sentence(errors: Any, field: str = "") -> str:
    if isinstance(errors, Mapping):
        name, rest = next(iter(errors.items()), ("", ""))
        return _first_sentence(rest, str(name))
    if isinstance(errors, list | tuple):
        return _first_sentence(errors[0] if errors else "", field)
    return f"{field}: {errors}" if field else str(errors)
