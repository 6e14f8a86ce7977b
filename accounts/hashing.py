"""
Hashing passwords, few at a time in one process.

A hash is to cost time and memory (0.1 s and 100 MiB each), so that guessing does. Each request has a thread of its own:
without a bound, a hundred log-ins at once would take 10 GiB and every core there is.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections

from accounts.refusals import Busy

MOST_WAITING = 100
"""More than can be served in the time that anybody waits."""
MOST_WAITING_OF_A_NETWORK = MOST_WAITING // 2
"""So that whoever floods from one address leaves places to all others."""
WAIT_SECONDS = 5.0


class HashingRoom:
    """The places of one process in which passwords are hashed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._hashing = 0
        self._waiting = 0
        self._waiting_of: Counter[str | None] = Counter()
        self._this_thread = threading.local()

    @contextmanager
    def place(self, network: str | None = None) -> Iterator[None]:
        """
        Hold a place while the body runs, for somebody from a network, if that is known.

        A thread that holds one needs no other. Raises ``Busy``.
        """
        if getattr(self._this_thread, "is_inside", False):
            yield
            return
        self._enter(network)
        self._this_thread.is_inside = True
        try:
            yield
        finally:
            self._this_thread.is_inside = False
            with self._changed:
                self._hashing -= 1
                self._changed.notify()

    def _enter(self, network: str | None) -> None:
        with self._changed:
            if self._waiting >= MOST_WAITING or not self._may_wait(network):
                raise Busy
            if self._has_place():
                self._hashing += 1
                return
            self._waiting += 1
            self._waiting_of[network] += 1
        try:
            _give_connections_back()  # nobody is kept out of the room meanwhile
            with self._changed:
                if not self._changed.wait_for(self._has_place, WAIT_SECONDS):
                    raise Busy
                self._hashing += 1
        finally:
            with self._changed:
                self._waiting -= 1
                self._waiting_of[network] -= 1
                if not self._waiting_of[network]:
                    del self._waiting_of[network]

    def _may_wait(self, network: str | None) -> bool:
        # What comes without a network (sign-ups, staff's creations) has limits of its own, and is of many.
        return network is None or self._waiting_of[network] < MOST_WAITING_OF_A_NETWORK

    def _has_place(self) -> bool:
        most: int = settings.USHER.hashings_at_once
        return self._hashing < most


def _give_connections_back() -> None:
    """
    Give this thread's database connections back; its next query takes one anew.

    A request keeps its own to its end: twenty who wait for a place would hold the whole pool, and no request and no
    socket would get in until they are served. Inside a transaction it must be kept.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


room = HashingRoom()


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2 as Django has it, in one of the places: whatever hashes a password, by whichever path, comes here."""

    def encode(self, password: str, salt: str) -> Any:
        """Return the hash of a password; raises ``Busy``."""
        with room.place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether a password has this hash; raises ``Busy``."""
        with room.place():
            return super().verify(password, encoded)
