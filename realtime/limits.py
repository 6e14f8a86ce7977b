"""
How much of something one address, user or tenant may have or do; pure, counted in this process alone.

Counts are kept in memory and bounded: an open place is forgotten when it is given back, a bucket when it is full
again. N processes therefore allow N times as much; what protects the machine are the limits per process.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

RATE = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,3})?(s|sec|second|m|min|minute|h|hour|d|day)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate(NamedTuple):
    """So many in so many seconds."""

    most: int
    seconds: int


@lru_cache(maxsize=256)
def rate_of(text: str) -> Rate:
    """Return the rate that a text such as ``30/min`` or ``60/10s`` means; raises ``ValueError``."""
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"rate is {text!r}; expected a number per time, such as 30/min or 60/10s")
    most, units, unit = match.groups()
    return Rate(int(most), int(units or 1) * SECONDS[unit[0]])


class Places:
    """How many places each key holds now. For one thread, or one event loop."""

    def __init__(self) -> None:
        self._held: Counter[Hashable] = Counter()

    def place(self, key: Hashable, *, most: int, refusal: Exception) -> "Place":
        """Return a place that can be taken as long as fewer than ``most`` are held; else the refusal is raised."""
        return Place(self._held, key, most, refusal)

    def held(self, key: Hashable) -> int:
        """Return how many places a key holds."""
        return self._held.get(key, 0)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._held)


class Place:
    """A place of one key: held while a body runs, whichever way that ends. Small, since every open socket has some."""

    __slots__ = ("_held", "_key", "_most", "_refusal")

    def __init__(self, held: "Counter[Hashable]", key: Hashable, most: int, refusal: Exception) -> None:
        self._held = held
        self._key = key
        self._most = most
        self._refusal: Exception | None = refusal

    def __enter__(self) -> None:
        """Take it; raises the refusal where there is none left."""
        refusal, self._refusal = self._refusal, None
        if refusal is not None and self._held.get(self._key, 0) >= self._most:
            raise refusal
        self._held[self._key] += 1

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._held[self._key] -= 1
        if not self._held[self._key]:
            del self._held[self._key]


class Held:
    """Places that are given back together."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: list[Place] = []

    def take(self, *places: Place) -> None:
        """Take places, in order; raises the refusal of the first that cannot be had, and those before it stay taken."""
        for place in places:
            place.__enter__()
            self._places.append(place)

    def give_back(self) -> None:
        """Give back all that have been taken."""
        while self._places:
            self._places.pop().__exit__()


class Bucket:
    """One source's allowance: as much as the rate at once, refilled steadily. For one thread, or one event loop."""

    __slots__ = ("_at", "_clock", "_left", "_rate")

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left = float(rate.most)
        self._at = clock()

    def take(self) -> bool:
        """Take one, and tell whether there was one."""
        return not self.seconds_until_taken()

    def seconds_until_taken(self) -> float:
        """Take one and return 0, or return the seconds until there is one."""
        self._refill()
        if self._left < 1:
            return (1 - self._left) * self._rate.seconds / self._rate.most
        self._left -= 1
        return 0.0

    def put_back(self) -> None:
        """Have one that was taken count for nothing."""
        self._refill()
        self._left = min(self._rate.most, self._left + 1)

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._rate.most, self._left + (now - self._at) * self._rate.most / self._rate.seconds)
        self._at = now


class Frequency:
    """
    How often each key comes: each has a bucket of its own for each rate. For any number of threads.

    A count that begins anew each minute would let twice as many come at once, at the end of one and the start of the
    next. A bucket that nobody has taken from for the time of its rate is full, and forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[Rate, tuple[int, dict[Hashable, Bucket], dict[Hashable, Bucket]]] = {}
        """Rate -> the number of its present stretch of time, the buckets used in it, and those used in the last one."""

    def seconds_until_allowed(self, key: Hashable, rate: Rate) -> float:
        """Count once more and return 0 if that is within the rate, else the seconds until it will be."""
        with self._lock:
            return self._bucket(key, rate).seconds_until_taken()

    @contextmanager
    def counted(self, key: Hashable, rate: Rate) -> Iterator[float]:
        """
        Count once more what the body does, yielding what ``seconds_until_allowed`` returns; not what ends in an error.

        While the body runs it counts, so that however many run at once no more succeed than may.
        """
        with self._lock:
            bucket = self._bucket(key, rate)
            seconds = bucket.seconds_until_taken()
        try:
            yield seconds
        except BaseException:
            if not seconds:
                with self._lock:
                    bucket.put_back()
            raise

    def forget(self) -> None:
        """Forget all counts."""
        with self._lock:
            self._buckets.clear()

    def _bucket(self, key: Hashable, rate: Rate) -> Bucket:
        stretch = int(self._clock() // rate.seconds)
        known, young, old = self._buckets.get(rate, (stretch, {}, {}))
        if known != stretch:
            # All that were used before the last stretch go at once, so that nothing has to be looked through.
            young, old = {}, young if known == stretch - 1 else {}
        self._buckets[rate] = stretch, young, old
        bucket = young.get(key) or old.pop(key, None) or Bucket(rate, self._clock)
        young[key] = bucket
        return bucket
