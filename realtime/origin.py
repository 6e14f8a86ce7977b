"""Which pages may open a socket: exactly those of the allow-list, by scheme, host and port."""

import re
from collections.abc import Collection

# Not urllib's urlsplit: it reads a URL, which has more forms than an origin, and not strictly. In Python 3.11.7 it
# finds the host ::1 in http://anything[::1].
ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?", re.IGNORECASE | re.ASCII)
MOST_PORT = 65535
DEFAULT_PORTS = {"http": 80, "https": 443}


def normalised(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin as RFC 6454 §4 compares them, or None if it is not one (or "null")."""
    found = ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    port = int(found[3] or DEFAULT_PORTS[scheme])
    return (scheme, host, port) if port <= MOST_PORT else None


def is_allowed(origins: Collection[str], allowed: Collection[str]) -> bool:
    """
    Tell whether a request with these Origin headers may go on. None at all may: it comes from no page.

    Two Origin headers, or one that is no origin, never may.
    """
    if not origins:
        return True
    found = normalised(next(iter(origins)))
    return len(origins) == 1 and found is not None and found in {normalised(origin) for origin in allowed}
