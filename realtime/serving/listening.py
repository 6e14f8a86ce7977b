"""Opening the socket that a server listens on."""

import socket

from realtime.serving.limits import Limits


def listen(host: str, port: int, limits: Limits) -> socket.socket:
    """
    Return a listening socket on ``host`` and ``port``; port 0 takes a free one.

    A name that has several addresses is listened on at one of them, IPv4 before IPv6. Raises ``OSError`` with the
    address in its text when it cannot be had.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(addresses, key=lambda found: found[0] != socket.AF_INET)
    # Servers' own defaults are 50 and 2048: a burst of clients that come back after a restart would be refused.
    listening = socket.create_server(address[:2], family=family, backlog=limits.backlog)
    listening.setblocking(False)
    # Inherited by every connection. asyncio sets it on sockets of its own making only; without it the second half of
    # an answer waits 40 ms for the acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Inherited too. Without it the kernel keeps bytes for a vanished phone for a quarter of an hour.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.silence_seconds * 1000))
    return listening
