"""How the text of an environment variable becomes a value. Each function raises ``ValueError`` for what it refuses."""

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from realtime.addresses import UNIX, Proxy
from realtime.limits import rate_of
from realtime.origin import DEFAULT_PORTS, normalised

HOST_NAME = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")


def items(text: str) -> tuple[str, ...]:
    """Split a comma-separated list, dropping blanks."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def host_names(text: str) -> tuple[str, ...]:
    """Read a list of host names; ``*`` is refused, because it would let any Host header through."""
    names = items(text.lower())
    if not all(HOST_NAME.fullmatch(name) for name in names):
        raise ValueError
    return names


def origin(text: str) -> str:
    """Spell an origin the way browsers send it: lower case, no path, no default port. Others match no page ever."""
    found = normalised(text.rstrip("/"))
    if found is None:
        raise ValueError
    scheme, host, port = found
    return f"{scheme}://{host}" + (f":{port}" if port != DEFAULT_PORTS[scheme] else "")


def origins(text: str) -> tuple[str, ...]:
    """Read a list of exact origins."""
    return tuple(origin(item) for item in items(text))


def rate(text: str) -> str:
    """Check a rate such as ``30/min`` or ``60/10s``."""
    rate_of(text)
    return text


def proxies(text: str) -> tuple[Proxy, ...]:
    """Read a list of networks, and of ``unix`` for whoever connects through a Unix socket."""
    return tuple(UNIX if item == UNIX else ip_network(item) for item in items(text.lower()))


def database_url(text: str) -> str:
    """Check the form of a database's URL; config/databases.py takes it apart."""
    parts = urlsplit(text)
    if parts.scheme in {"postgres", "postgresql"}:
        named = len(parts.path) > 1
    else:
        named = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1
    if not named or "://" not in text:
        raise ValueError
    _ = parts.port  # raises for a port that is no number
    return text


def redis_url(text: str) -> str:
    """Check the form of a Redis URL: plain, TLS or a Unix socket."""
    parts = urlsplit(text)
    has_place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not has_place:
        raise ValueError
    _ = parts.port
    return text
