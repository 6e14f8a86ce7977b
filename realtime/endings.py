"""When sockets end by the clock alone: with their token, or with their session. Nothing is bumped then."""

import math
from heapq import heappop, heappush

from realtime.connection import Connection


class Endings:
    """
    The ends of one tenant's sockets, by the second.

    Every batch asks who has ended. Looking at each socket would cost a crowd as much as delivering to it; here whoever
    has time left is not looked at before his last second.
    """

    __slots__ = ("_at", "_by_second", "_first", "_seconds")

    def __init__(self) -> None:
        self._at: dict[Connection, float] = {}
        self._by_second: dict[int, set[Connection]] = {}
        self._seconds: list[int] = []
        """A heap of the keys above."""
        self._first: float = math.inf
        """The least of them: each batch of each tenant looks at it, and at nothing else."""

    def put(self, connection: Connection, at: float) -> None:
        """Have a socket end ``at`` (seconds since the epoch), and at no other time."""
        self.remove(connection)
        second = int(at)
        if second not in self._by_second:
            self._by_second[second] = set()
            heappush(self._seconds, second)
            self._first = self._seconds[0]
        self._by_second[second].add(connection)
        self._at[connection] = at

    def remove(self, connection: Connection) -> None:
        """Forget a socket."""
        at = self._at.pop(connection, None)
        if at is not None:
            self._by_second[int(at)].discard(connection)

    def due(self, now: float) -> list[Connection]:
        """Return the sockets that have ended by ``now``, and forget them."""
        found: list[Connection] = []
        while self.is_due(now):
            second = self._seconds[0]
            ended = [connection for connection in self._by_second[second] if self._at[connection] <= now]
            for connection in ended:
                self.remove(connection)
            found += ended
            if self._by_second[second]:
                break  # this very second: the others have a part of it left
            del self._by_second[second]
            heappop(self._seconds)
            self._first = self._seconds[0] if self._seconds else math.inf
        return found

    def is_due(self, now: float) -> bool:
        """Tell whether it is worth asking who has ended by ``now``."""
        return self._first <= now

    def __len__(self) -> int:
        """Return how many sockets there are."""
        return len(self._at)
