"""From where a request comes: noted with sessions and sign-ups, and counted by what limits callers."""

from typing import Any

from django.conf import settings

from realtime.addresses import client_address


def address_of(request: Any) -> str | None:
    """Return the caller's address as sockets have it too, or None where there is none (a Unix socket)."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_address(request.META.get("REMOTE_ADDR"), [forwarded], settings.USHER.trusted_proxies)
