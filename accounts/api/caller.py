"""Who makes a request, and from where: the latter is noted with sessions and sign-ups, and counted by throttles."""

from ipaddress import IPv6Address, ip_address
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


def address_of(request: Any) -> str | None:
    """
    Return the address of the connection's other end, or None where there is none (a Unix socket).

    ``X-Forwarded-For`` is not asked: it is whatever a caller writes, unless a proxy of ours has put it right, and then
    the server in front of Django has already taken it over.
    """
    try:
        address = ip_address(str(request.META.get("REMOTE_ADDR") or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def agent_of(request: Any) -> str:
    """Return what the caller's program calls itself, fit to be stored."""
    return without_controls(request.headers.get("User-Agent", ""), longest=LONGEST_AGENT)
