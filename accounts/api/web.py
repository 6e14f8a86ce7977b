"""
Logging in and out, and renewing, for pages in a browser.

The refresh token is in a cookie that scripts cannot read, and never in a body: what has crept into a page can use the
page's access token for minutes, and take nothing away that lasts. Programs use accounts.api.auth.
"""

from contextlib import suppress

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import sessions
from accounts.addresses import address_of
from accounts.api import refresh_cookie
from accounts.api.auth import identified
from accounts.api.auth_bodies import AccessBody, LogInBody
from accounts.api.caller import agent_of
from accounts.api.openapi import problems
from accounts.api.own_pages import refuse_other_pages
from accounts.api.problems import Unauthenticated
from accounts.api.public import PublicView
from accounts.api.strict import Nothing, validated
from accounts.tokens import Pair
from realtime.ports import TokenRefused

ORIGIN = "The `Origin` must be the server's own or one of USHER_ALLOWED_ORIGINS; browsers send it by themselves."
COOKIE = OpenApiParameter(
    refresh_cookie.NAME,
    str,
    OpenApiParameter.COOKIE,
    description=f"The refresh token; by https the name begins with `{refresh_cookie.PREFIX}`.",
)
SET_COOKIE = OpenApiParameter(
    "Set-Cookie",
    str,
    OpenApiParameter.HEADER,
    response=[200, 204],
    description="The next refresh token, or its end: HttpOnly, SameSite=Strict, by https Secure.",
)
NO_SESSION = "This browser has no session here that goes on; log in."


class WebView(PublicView):
    """A view that a cookie opens, so that only pages of ours may call it."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse other pages before anything else is looked at."""
        refuse_other_pages(request)
        super().initial(request, *args, **kwargs)


class WebTokenView(WebView):
    """Log in from a page."""

    @extend_schema(
        summary="Log in from a page",
        description=f"As auth/token, with the refresh token in a cookie. A session that it had before ends. {ORIGIN}",
        parameters=[SET_COOKIE],
        request=LogInBody,
        responses={200: AccessBody, **problems(400, 401, 403, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """Begin a session in this browser."""
        user = identified(request, validated(LogInBody, request))
        pair = sessions.log_in(user, address=address_of(request), agent=agent_of(request))
        _end_session_of_cookie(request, reason=sessions.REPLACED)  # or nobody could reach it, and it would live on
        return _answer(request, pair)


class WebRefreshView(WebView):
    """Renew, for a page."""

    @extend_schema(
        summary="Renew a page's access token",
        description=(
            "Takes the refresh token from the cookie and puts the next one there; the rest is as with "
            f"auth/token/refresh, so several tabs may ask at once. A 401 clears the cookie. {ORIGIN}"
        ),
        parameters=[COOKIE, SET_COOKIE],
        request=None,
        responses={200: AccessBody, **problems(400, 401, 403, 503)},
    )
    def post(self, request: Request) -> Response:
        """Return the next access token of this browser's session."""
        validated(Nothing, request)
        token = refresh_cookie.refresh_token_of(request)
        if token is None:
            raise Unauthenticated(NO_SESSION)
        try:
            pair = sessions.refresh(token)
        except TokenRefused:
            raise Unauthenticated(NO_SESSION) from None
        return _answer(request, pair)

    def handle_exception(self, exc: Exception) -> Response:
        """Return the response for an error; with a 401 the cookie goes, since it opens nothing any more."""
        response = super().handle_exception(exc)
        if response.status_code == Unauthenticated.status_code:
            refresh_cookie.clear(self.request, response)
        return response


class WebLogoutView(WebView):
    """Log out from a page."""

    @extend_schema(
        summary="Log a page out",
        description=f"Ends the session of the cookie, if it goes on, and clears the cookie. {ORIGIN}",
        parameters=[COOKIE, SET_COOKIE],
        request=None,
        responses={204: None, **problems(400, 403, 503)},
    )
    def post(self, request: Request) -> Response:
        """End this browser's session: its tokens and its sockets."""
        validated(Nothing, request)
        _end_session_of_cookie(request, reason=sessions.LOGGED_OUT)
        response = Response(status=204)
        refresh_cookie.clear(request, response)
        return response


def _end_session_of_cookie(request: Request, *, reason: str) -> None:
    token = refresh_cookie.refresh_token_of(request)
    if token is not None:
        with suppress(TokenRefused):
            sessions.end_session_of(token, reason=reason)


def _answer(request: Request, pair: Pair) -> Response:
    response = Response(AccessBody(pair).data)
    refresh_cookie.put(request, response, pair)
    return response
