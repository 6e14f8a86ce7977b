"""The closed loop: so many events in flight, the next one published when all sockets of a group have got one."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from bench.client import LoadClient
from bench.processes import CpuUsed, with_children
from bench.systems import System

PATIENCE_SECONDS = 20.0
"""So long an event may be under way, with nothing else arriving, before it counts as lost."""
WARM_UP_SHARE = 0.3


def marker_of(number: int) -> str:
    """Return the marker of an event that is published now."""
    return f"@t{time.monotonic_ns():019d}#{number:08d}@"


@dataclass
class Traffic:
    """The events of one server's sockets: how many there have been, and how many each group's sockets are owed."""

    system: System
    client: LoadClient
    each: int
    groups: int = 1
    patience: float = PATIENCE_SECONDS
    transactions: Callable[[], int] | None = None
    """In how many transactions all was published so far, where events come in some."""
    profiled: Callable[[int], AbstractContextManager[object]] = nullcontext
    """What is around the measured loop with a window of so many."""
    idle_seconds: float = 2.0
    """So long the server is watched before anything is published; a look at all counters falls into it."""
    settling_seconds: float = 0.0
    """So long a server is left alone before that, since what it still does for who has just come is not idling."""
    idle_busy: float | None = None
    """The share of its core that the server uses with these sockets open and nothing to send."""
    published: int = 0
    lost_events: set[int] = field(default_factory=set)
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  the same groups each time

    def publish(self, count: int) -> list[int]:
        """Publish so many events, to groups at random; return their numbers."""
        numbers = list(range(self.published, self.published + count))
        self.published += count
        groups = [self._random.randrange(self.groups) for _ in numbers]
        self.system.publish([(group, marker_of(number)) for group, number in zip(groups, numbers, strict=True)])
        return numbers

    def finish(self, in_flight: set[int]) -> int:
        """Wait until all of these are finished, or given up; return how many were given up."""
        while in_flight:
            done = self.client.finished(self.patience)
            if not done:
                self.lost_events |= in_flight
                return len(in_flight)
            in_flight.difference_update(done)
        return 0

    def burst(self, count: int) -> None:
        """Publish so many events at once, and wait for them."""
        self.finish(set(self.publish(count)))

    def loop(self, *, window: int, seconds: float, most: int | None = None) -> None:
        """Keep ``window`` events in flight for so long (or until ``most`` were published); then wait for the last."""
        until = time.monotonic() + seconds
        end = None if most is None else self.published + most
        in_flight = set(self.publish(window))
        while True:
            done: Sequence[int] = self.client.finished(self.patience)
            if done:
                in_flight.difference_update(done)
                wanted = len(done)
            else:
                self.lost_events |= in_flight
                wanted, in_flight = window, set()
            if time.monotonic() >= until:
                break
            if end is not None and self.published + wanted > end:
                break
            in_flight.update(self.publish(wanted))
        self.finish(in_flight)

    def measure(self, *, window: int, seconds: float, most: int | None = None) -> dict[str, Any]:
        """Warm up, then measure the loop; return deliveries, their cost, their latencies, what was lost."""
        if self.idle_busy is None:
            self.idle_busy = self._watched()
        self.loop(window=window, seconds=seconds * WARM_UP_SHARE, most=None if most is None else window)

        def work() -> None:
            with self.profiled(window):
                self.loop(window=window, seconds=seconds, most=most)

        return self.counted(work) | {"window": window}

    def _watched(self) -> float:
        time.sleep(self.settling_seconds)
        began, used = time.monotonic(), CpuUsed(with_children(self.system.pids))
        time.sleep(self.idle_seconds)
        return used.seconds / (time.monotonic() - began)

    def counted(self, what: Callable[[], None], *, first: int | None = None) -> dict[str, Any]:
        """
        Return what the sockets got and the server used while ``what()`` ran.

        They are owed the events that it publishes, and those from number ``first`` on.
        """
        first = self.published if first is None else first
        self.client.mark()
        made = self.transactions() if self.transactions else 0
        used, used_beside = CpuUsed(with_children(self.system.pids)), CpuUsed(with_children(self.system.beside))
        began = time.monotonic()
        what()
        seconds = time.monotonic() - began
        idle = self.idle_busy or 0.0
        cpu, cpu_beside = used.seconds, used_beside.seconds
        report = self.client.report()
        received = self.client.received(first, self.published)
        owed = (self.published - first) * self.each
        deliveries = sum(received)
        made = self.transactions() - made if self.transactions else 0
        return {
            "events": self.published - first,
            "events_per_transaction": (self.published - first) / made if made else None,
            "deliveries": deliveries,
            "owed": owed,
            "lost": owed - deliveries,
            "repeated": report["repeated"],
            "astray": report["astray"],
            "closed": report["closed"],
            "seconds": seconds,
            "per_second": deliveries / seconds,
            "events_per_second": (self.published - first) / seconds,
            "cpu_us": max(0.0, cpu - idle * seconds) * 1e6 / max(1, deliveries),
            "cpu_us_with_idle": cpu * 1e6 / max(1, deliveries),
            "beside_us": cpu_beside * 1e6 / max(1, deliveries),
            "busy": cpu / seconds,
            "idle_busy": idle,
            "client_busy": report["cpu_seconds"] / report["seconds"],
            "latency_ms": report["latency_ms"],
            "bytes_per_delivery": report["bytes"] / max(1, deliveries),
        }
