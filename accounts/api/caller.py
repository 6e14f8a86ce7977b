"""Who makes a request, and with what program."""

from typing import Any

from rest_framework.request import Request

from accounts.fields import without_controls
from accounts.models import User
from realtime.ports import Standing

LONGEST_AGENT = 400


def user_of(request: Request) -> User:
    """Return the user behind an authenticated request."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError(f"request.user is {user!r}; expected a User: the view must require authentication")
    return user


def standing_of(request: Request) -> Standing:
    """Return how the session behind an authenticated request stands."""
    standing = request.auth
    if not isinstance(standing, Standing):
        raise TypeError(f"request.auth is {standing!r}; expected a Standing: the view must require authentication")
    return standing


def agent_of(request: Any) -> str:
    """Return what the caller's program calls itself, fit to be stored."""
    return without_controls(request.headers.get("User-Agent", ""), longest=LONGEST_AGENT)
