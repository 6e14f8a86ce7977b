"""Opening the socket that a server listens on, and leaving it."""

import asyncio
import ctypes
import re
import select
import socket
import struct
import sys
from pathlib import Path

from realtime.serving.limits import Limits

TURNS_TO_ACCEPT = 2
HALF_WAY_SECONDS = 0.6
"""How long a client that has been answered may take to confirm: a way to the other side of the world and back."""
SYN_RECEIVED = b"03"
"""In the kernel's table of connections, behind the two addresses of one."""

SO_ATTACH_FILTER = 26
"""From Linux' <asm-generic/socket.h>; Python has no name for it."""
DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags: the filter of a TCP socket sees a segment from its header on
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),  # then take nothing of this segment,
    (0x06, 0, 0, 0xFFFFFFFF),  # and otherwise all of it
)
"""A program for the kernel's classic packet filter: (code, jump if true, jump if false, operand); see bpf(4)."""


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


def has_unread(connection: socket.socket) -> bool:
    """Tell whether the kernel holds what nobody has read yet: bytes, or on a listening socket connections."""
    if connection.fileno() == -1:
        return False
    polling = select.poll()  # unlike select(), it takes file descriptors of any number
    polling.register(connection, select.POLLIN)
    return bool(polling.poll(0))


def overlook_newcomers(listening: socket.socket) -> bool:
    """
    Have the kernel overlook who begins to connect from now on, and tell whether it does; a handshake under way goes on.

    A client that is overlooked asks again after a second, and hears then that nobody listens, which says for certain
    that its request was carried out nowhere. Linux alone has such a filter.
    """
    if sys.platform != "linux":
        return False
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in DROP_SYN))
    try:
        listening.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(DROP_SYN), ctypes.addressof(program))
        )
    except OSError:
        return False
    return True


def is_anybody_half_way(listening: socket.socket) -> bool:
    """Tell whether a client has been answered by the kernel and has not confirmed yet: its request comes with that."""
    table = "tcp6" if listening.family is socket.AF_INET6 else "tcp"
    try:
        entry = rb":%04X \S+ %b " % (listening.getsockname()[1], SYN_RECEIVED)
        return re.search(entry, Path("/proc/self/net", table).read_bytes()) is not None
    except OSError:
        return False


async def accepted(listening: socket.socket, *, within_seconds: float = 3.0) -> None:
    """
    Wait until the running loop has taken in whoever has connected; close ``listening`` right then, without an await.

    The kernel completes connections by itself. One that still waits to be accepted, or to be confirmed, is reset when
    its listening socket is closed, and with it the request that a client has sent already. So nobody may come between
    the last look and the close, which are as far from each other as other threads hold the interpreter; where the
    kernel overlooks newcomers nobody does.
    """
    loop = asyncio.get_running_loop()
    if overlook_newcomers(listening):
        # Shorter than it takes a client that was overlooked to ask again: nobody waits longer for it.
        until = loop.time() + HALF_WAY_SECONDS
        while loop.time() < until and is_anybody_half_way(listening):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    deadline = loop.time() + within_seconds  # where newcomers cannot be overlooked, they may come without end
    turns_without = 0
    # Twice, since asyncio takes two turns: one to accept, and one to make a connection of it, which it no longer does
    # once the server is closed.
    while turns_without < TURNS_TO_ACCEPT and loop.time() < deadline:
        await asyncio.sleep(0)
        turns_without = 0 if has_unread(listening) else turns_without + 1
