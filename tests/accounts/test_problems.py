"""Every error has one shape, whatever raised it; and what nobody should learn about stays inside."""

import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from accounts import refusals
from accounts.api import problems
from accounts.api.outage import Complaint
from accounts.api.problems import Invalid, NotFound, Problem, problem_handler, problem_of
from accounts.api.strict import StrictSerializer, Text
from realtime.ports import TokenRefused
from tests.accounts.api_calls import assert_problem, log_in
from tests.databases import django_uses

ERRORS = [
    (NotFound(), 404, "not_found"),
    (Http404("No User matches the given query: mallory"), 404, "not_found"),
    (exceptions.NotFound(), 404, "not_found"),
    (PermissionDenied("because"), 403, "not_authorised"),
    (exceptions.PermissionDenied(), 403, "not_authorised"),
    (exceptions.NotAuthenticated(), 401, "unauthenticated"),
    (exceptions.AuthenticationFailed("because"), 401, "unauthenticated"),
    (TokenRefused("forged"), 401, "unauthenticated"),
    (TokenRefused("expired"), 401, "token_expired"),
    (refusals.SessionEnded(), 401, "session_ended"),
    (refusals.BadCredentials(), 401, "bad_credentials"),
    (refusals.NotAuthorised(), 403, "not_authorised"),
    (refusals.TenantSuspended(), 503, "tenant_suspended"),
    (refusals.TokenInUrl(), 400, "token_in_url"),
    (refusals.UsernameTaken(tenant="acme", username="dave"), 409, "username_taken"),
    (exceptions.ParseError("odd"), 400, "bad_request"),
    (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
    (exceptions.Throttled(wait=12.3), 429, "throttled"),
    (refusals.SlugTaken("acme"), 409, "slug_taken"),
    (Problem("too many", code="too_large", status=413), 413, "too_large"),
    (Invalid({"slug": ["odd"]}), 400, "invalid"),
    (exceptions.ValidationError({"a": {"b": ["odd"]}}), 400, "invalid"),
    (OperationalError("password of the database"), 503, "unavailable"),
    (InterfaceError("connection is closed"), 503, "unavailable"),
]


@pytest.mark.parametrize(("error", "status", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_each_error_has_its_status_and_code(error, status, code):
    problem = problem_of(error)

    assert problem is not None
    assert (problem.status_code, problem.problem_code) == (status, code)


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), IntegrityError("secret")])
def test_a_mistake_of_ours_is_left_to_django(error):
    assert problem_handler(error, {}) is None


@pytest.mark.parametrize("error", [Http404("mallory"), PermissionDenied("mallory"), OperationalError("mallory")])
def test_words_that_were_not_meant_for_callers_do_not_reach_them(error):
    response = problem_handler(error, {})

    assert response is not None
    assert "mallory" not in str(response.data)


def test_waiting_times_are_whole_seconds_and_never_none():
    waits = [problem_of(exceptions.Throttled(wait=wait)) for wait in (12.3, 0.2, None)]

    assert [problem and problem.headers["Retry-After"] for problem in waits] == ["13", "1", "1"]


def test_the_detail_of_an_invalid_body_is_its_first_error_in_words():
    class Body(StrictSerializer):
        username = Text()

    class Outer(StrictSerializer):
        user = Body()

    body = Outer(data={"user": {"username": 1}})
    assert not body.is_valid()

    problem = problem_of(exceptions.ValidationError(body.errors))
    assert problem is not None
    assert str(problem.detail) == "username: Not a valid string."


def test_a_refusal_of_the_passwords_rules_names_the_field():
    problem = problem_of(refusals.WeakPassword(["too short", "too common"]))

    assert problem is not None
    assert problem.more == {"errors": {"new": ["too short", "too common"]}}
    assert str(problem.detail) == "too short too common"


def test_without_a_database_the_answer_is_503_and_the_log_says_why(django_db_blocker, caplog, tmp_path, monkeypatch):
    monkeypatch.setattr(problems, "_complaint", Complaint())
    nowhere = django_uses(f"sqlite:///{tmp_path}/nowhere/at-all.sqlite3")
    with django_db_blocker.unblock(), nowhere, caplog.at_level(logging.ERROR):
        answer = log_in()

    assert_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "unable to open database file" in caplog.text
    assert "Traceback" not in caplog.text
    assert "nowhere" not in str(answer.body)
