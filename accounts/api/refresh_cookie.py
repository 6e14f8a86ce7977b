"""The cookie that holds a page's refresh token: no script can read it, and it goes to the paths that need it alone."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import Pair

NAME = "usher_refresh"
PREFIX = "__Secure-"
"""Browsers take such a cookie by https alone, so that nobody can put one there from an insecure connection."""
PATH = "/api/v1/auth/web"


def name_of(request: Request) -> str:
    """Return the cookie's name on this connection."""
    return f"{PREFIX}{NAME}" if request.is_secure() else NAME


def refresh_token_of(request: Request) -> str | None:
    """Return the refresh token that the browser has sent along, if any."""
    return request.COOKIES.get(name_of(request)) or None


def put(request: Request, response: Response, pair: Pair) -> None:
    """Have the browser keep the pair's refresh token, for as long as the session lasts."""
    response.set_cookie(name_of(request), pair.refresh, max_age=pair.session_expires_in, **_attributes(request))


def clear(request: Request, response: Response) -> None:
    """Have the browser forget the refresh token."""
    response.set_cookie(name_of(request), "", max_age=0, **_attributes(request))


def _attributes(request: Request) -> dict[str, Any]:
    return {"path": PATH, "secure": request.is_secure(), "httponly": True, "samesite": "Strict"}
