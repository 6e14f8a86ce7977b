"""Opening the socket that a server listens on, and leaving it."""

import asyncio
import contextlib
import ctypes
import select
import socket
import struct
import sys

from realtime.serving.limits import Limits

TURNS_TO_ACCEPT = 2

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


def overlook_newcomers(listening: socket.socket) -> None:
    """
    Have the kernel overlook who begins to connect from now on; whoever has connected already stays to be accepted.

    Between a last look at the queue and the close of its socket somebody may connect, and would be reset with the
    request that was sent already, however short that time is: here it lasts as long as other threads hold the
    interpreter. A client that is overlooked asks again after a second, and hears then that nobody listens, which says
    for certain that its request was carried out nowhere. A handshake that is half done goes on. Where there is no such
    filter, and Linux alone has it, this does nothing, and the short time remains.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in DROP_SYN))
    with contextlib.suppress(OSError):
        listening.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(DROP_SYN), ctypes.addressof(program))
        )


async def accepted(listening: socket.socket, *, within_seconds: float = 3.0) -> None:
    """
    Wait until the running loop has taken in whoever has connected; close ``listening`` right then, without an await.

    The kernel completes connections by itself. One that still waits to be accepted is reset when its listening socket
    is closed, and with it the request that a client has sent already. Nobody can connect any more from here on.
    """
    overlook_newcomers(listening)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_seconds  # where newcomers cannot be overlooked, they may come without end
    turns_without = 0
    # Twice, since asyncio takes two turns: one to accept, and one to make a connection of it, which it no longer does
    # once the server is closed.
    while turns_without < TURNS_TO_ACCEPT and loop.time() < deadline:
        await asyncio.sleep(0)
        turns_without = 0 if has_unread(listening) else turns_without + 1
