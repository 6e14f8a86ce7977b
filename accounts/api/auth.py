"""Logging in and out, renewing tokens, changing one's password, and seeing and ending one's sessions."""

from typing import cast
from uuid import UUID

from django.contrib.auth import authenticate
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import sessions
from accounts.addresses import address_of
from accounts.api.auth_bodies import LogInBody, PairBody, PasswordBody, RefreshBody, SessionListBody, view_of_session
from accounts.api.caller import agent_of, standing_of, user_of
from accounts.api.openapi import problems
from accounts.api.pagination import PARAMETERS, body_of, cursor_of, read_page
from accounts.api.problems import NotFound
from accounts.api.public import PublicView
from accounts.api.strict import Nothing, validated
from accounts.endings import live_sessions
from accounts.models import User
from accounts.refusals import BadCredentials, SessionEnded
from accounts.tokens import Pair


class TokenView(PublicView):
    """Log in."""

    @extend_schema(
        summary="Log in",
        description=(
            "Operators leave `tenant` out. Whatever is wrong with the credentials, the answer is the same 401; after "
            "too many of these, 429."
        ),
        request=LogInBody,
        responses={200: PairBody, **problems(400, 401, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """Begin a session and return its first pair of tokens."""
        credentials = validated(LogInBody, request)
        user = identified(request, credentials)
        return _answer(sessions.log_in(user, address=address_of(request), agent=agent_of(request)))


class RefreshView(PublicView):
    """Renew."""

    @extend_schema(
        summary="Renew the tokens",
        description=(
            "Gives the next pair and uses the refresh token up. The same one again within 10 seconds gives the same "
            "pair; later, or an older one, ends the session."
        ),
        request=RefreshBody,
        responses={200: PairBody, **problems(400, 401, 403, 503)},
    )
    def post(self, request: Request) -> Response:
        """Return the next pair of a session."""
        return _answer(sessions.refresh(validated(RefreshBody, request)["refresh"]))


class LogoutView(APIView):
    """Log out."""

    @extend_schema(summary="Log out", request=None, responses={204: None, **problems(400, 401, 403, 503)})
    def post(self, request: Request) -> Response:
        """End the session of this request: its tokens and its sockets."""
        validated(Nothing, request)
        sessions.end_session(user_of(request), standing_of(request).session_id, reason=sessions.LOGGED_OUT)
        return Response(status=204)


class PasswordView(APIView):
    """Change one's password."""

    @extend_schema(
        summary="Change the password",
        description="Ends all other sessions of the user.",
        request=PasswordBody,
        responses={204: None, **problems(400, 401, 403, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """Change the caller's password and end the caller's other sessions."""
        passwords = validated(PasswordBody, request)
        session_id = standing_of(request).session_id
        user = User.objects.select_related("tenant").filter(pk=standing_of(request).user_id).first()
        if user is None:
            raise SessionEnded
        sessions.change_password(user, **passwords, session_id=session_id, address=address_of(request))
        return Response(status=204)


class SessionListView(APIView):
    """One's sessions."""

    @extend_schema(
        summary="List one's live sessions",
        operation_id="auth_sessions_list",
        parameters=PARAMETERS,
        responses={200: SessionListBody, **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Return a page of the caller's live sessions, newest first."""
        current = standing_of(request).session_id
        live = live_sessions(user_of(request))
        page = read_page(cursor_of(request), [live.filter], [live.filter])
        rows = [view_of_session(session, is_current=session.pk == current) for session in page.rows]
        return Response(SessionListBody(body_of(request, page, rows)).data)


class SessionView(APIView):
    """One of one's sessions."""

    @extend_schema(
        summary="End one of one's sessions",
        operation_id="auth_sessions_destroy",
        responses={204: None, **problems(401, 403, 404, 503)},
    )
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End a live session of the caller's: its tokens and its sockets."""
        if not sessions.end_session(user_of(request), session_id, reason=sessions.LOGGED_OUT):
            raise NotFound
        return Response(status=204)


def identified(request: Request, credentials: dict[str, str | None]) -> User:
    """Return the user of these credentials; raises ``BadCredentials`` and what ``is_right`` raises."""
    # Django asks those backends whose parameters these are: without a tenant, the operators'.
    user = authenticate(
        cast("HttpRequest", request), **{name: value for name, value in credentials.items() if value is not None}
    )
    if not isinstance(user, User):
        raise BadCredentials
    return user


def _answer(pair: Pair) -> Response:
    return Response(PairBody(pair).data)
