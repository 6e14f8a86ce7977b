"""Which pages may open a socket: exactly those of the allow-list, by scheme, host and port."""

from collections.abc import Collection
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def normalised(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin as RFC 6454 §4 compares them, or None if it is not one (or "null")."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:  # an unclosed bracket, a port out of range
        return None
    # The signs themselves, since what is empty behind one leaves no part.
    is_bare = not parts.path and not any(sign in origin for sign in "?#@") and not origin.endswith(":")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not is_bare or not origin.isascii():
        return None
    if origin != origin.strip() or any(character.isspace() or not character.isprintable() for character in origin):
        return None
    return parts.scheme, parts.hostname, DEFAULT_PORTS[parts.scheme] if port is None else port


def is_allowed(origins: Collection[str], allowed: Collection[str]) -> bool:
    """
    Tell whether a request with these Origin headers may go on. None at all may: it comes from no page.

    Two Origin headers, or one that is no origin, never may.
    """
    if not origins:
        return True
    found = normalised(next(iter(origins)))
    return len(origins) == 1 and found is not None and found in {normalised(origin) for origin in allowed}
