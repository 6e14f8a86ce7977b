"""Whose address counts: that of the connection's other end, or, where that is a proxy of ours, what the proxy says."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

UNIX: Literal["unix"] = "unix"
"""Stands, among trusted proxies, for whoever connects through a Unix socket."""
LOCAL = "local"
"""The network of a peer that has no address, or none that can be read."""
NETWORK_OF_ONE_CALLER = 64
"""Leading bits of an IPv6 address: whoever has one address of such a network has them all."""

Address = IPv4Address | IPv6Address
Proxy = IPv4Network | IPv6Network | Literal["unix"]


def client_address(peer: str | None, forwarded: Iterable[str], trusted: tuple[Proxy, ...]) -> str | None:
    """
    Return the client's address, or None where there is none (a Unix socket).

    ``forwarded`` are the values of the ``X-Forwarded-For`` headers, in their order. They are looked at only if the
    peer is a trusted proxy: the right-most entry that is no trusted proxy is the client, since everything to the left
    of it is whatever the client likes to write. An entry that is no address ends the search at the proxy that wrote it.
    Never raises.
    """
    client = _read(peer or "")
    if not _is_trusted(client, trusted):
        return _spelt(client)
    for entry in reversed([entry for value in forwarded for entry in value.split(",")]):
        found = _read(entry)
        if found is None:
            break
        client = found
        if not _is_trusted(found, trusted):
            break
    return _spelt(client)


def is_proxy(peer: str | None, trusted: tuple[Proxy, ...]) -> bool:
    """Tell whether what the peer says of a request is believed: it is a trusted proxy. Never raises."""
    return _is_trusted(_read(peer or ""), trusted)


def is_loopback(host: str) -> bool:
    """Tell whether a host, by name or by address, is this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def network_of(address: str | None) -> str:
    """Return what an address is counted as: an IPv4 address itself, an IPv6 address's /64, else ``local``."""
    found = _read(address or "")
    if isinstance(found, IPv6Address):
        return str(ip_network((found, NETWORK_OF_ONE_CALLER), strict=False).network_address)
    return _spelt(found) or LOCAL


def _read(text: str) -> Address | None:
    """Read an address, which proxies may write with a port, in brackets or in quotes; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not _is_port(rest)):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit()


def _is_trusted(address: Address | None, trusted: tuple[Proxy, ...]) -> bool:
    if address is None:
        return UNIX in trusted
    return any(network != UNIX and address in network for network in trusted)


def _spelt(address: Address | None) -> str | None:
    return None if address is None else str(address)
