"""Sockets that have not shown a token yet: few at a time, so that nobody can fill the house by saying nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MOST_PER_ADDRESS = 10
MOST = 200


class TooManyWaiting(Exception):
    """No room for another socket without a token, from this address or at all."""


class WaitingRoom:
    """Counts the sockets of one process that were accepted and have not authenticated."""

    def __init__(self, *, most_per_address: int = MOST_PER_ADDRESS, most: int = MOST) -> None:
        self._by_address: Counter[str] = Counter()
        self._most_per_address = most_per_address
        self._most = most

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold a place while the body runs; raises ``TooManyWaiting``."""
        if self._by_address[address] >= self._most_per_address or self._by_address.total() >= self._most:
            raise TooManyWaiting
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
