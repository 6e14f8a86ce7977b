"""
The publishing process: makes the people of a benchmark, mints their tokens, and creates what they hear of.

Commands are lines of JSON on standard input, [name, arguments]; the answer to each, but to ``publish``, is a line on
standard output. Whatever is to be published when it comes to look goes into one transaction, and its rows are copied
into their tables (bench/usher/rows.py), so that what is measured is the delivering server and not how fast one core
can create users: ``creations``, ``import``, ``posts`` and ``latency`` measure that.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

import django

MOST_AT_ONCE = 500


class Publisher:
    """Obeys the commands."""

    def __init__(self) -> None:
        from bench.usher.costs import Costs

        self._is_sampled = os.environ["BENCH_KIND"] == "sample.taken"
        self._layouts: dict[tuple[int, int, str, int], Any] = {}
        self._costs = Costs()
        self._tenants: list[Any] = []
        self._events: Any = None
        self._transactions = 0

    def people(self, *, groups: int, each: int, classes: int, purpose: str = "") -> list[str]:
        """
        Return a token for each of ``each`` viewers of so many tenants, tenant by tenant.

        They are made at the first time. A tenant that has more is good as well, unless it has another purpose.
        """
        from bench.usher.people import create_tenants, create_viewers, tokens_of

        fitting = [made for made in self._layouts if made[:3] == (groups, classes, purpose) and made[3] >= each]
        layout = min(fitting, default=(groups, classes, purpose, each))
        if layout not in self._layouts:
            prefix = f"bench{os.getpid()}-{len(self._layouts)}"
            tenants = create_tenants(prefix, groups, classes=classes, is_sampled=self._is_sampled)
            self._layouts[layout] = tenants, create_viewers(tenants, each)
        self._tenants, sessions = self._layouts[layout]
        self._events = None
        return tokens_of([s for start in range(0, len(sessions), layout[3]) for s in sessions[start : start + each]])

    @property
    def events(self) -> Any:
        """What writes events of these people, made when the first is published: it needs PostgreSQL and Redis."""
        if self._events is None:
            self._events = self._rows()
        return self._events

    def _rows(self) -> Any:
        if self._is_sampled:
            from bench.usher.samples import SampleRows

            return SampleRows(self._tenants)
        from bench.usher.rows import UserRows

        return UserRows(self._tenants)

    def last_event(self, *, group: int) -> str:
        """Return the id of the newest event of a tenant: the cursor of who has seen all."""
        from realtime.models import Event

        tenant, _ = self._tenants[group]
        return str(Event.objects.filter(tenant=tenant).order_by("-position").values_list("pk", flat=True)[0])

    def publish(self, events: list[tuple[int, str]]) -> None:
        """Publish these, in transactions of so many at most."""
        for start in range(0, len(events), MOST_AT_ONCE):
            self.events.publish(events[start : start + MOST_AT_ONCE])
            self._transactions += 1

    def transactions(self) -> int:
        """Return in how many transactions all was published so far."""
        return self._transactions

    def user_at(self, *, group: int, share: float) -> str:
        """Return the id of a tenant's user, so far from the newest as that share of all."""
        from accounts.models import User

        users = User.objects.filter(tenant=self._tenants[group][0])
        return str(users.order_by("-pk").values_list("pk", flat=True)[int(users.count() * share)])

    def costs(self, *, what: str, **arguments: Any) -> Any:
        """Return what ``bench.usher.costs`` measures under that name."""
        return getattr(self._costs, what)(self._tenants, **arguments)


def lines() -> Iterator[bytes | None]:
    """Give the lines of standard input, and None whenever nothing more is there just now."""
    rest = b""
    while True:
        if not select.select([0], [], [], 0)[0]:
            yield None
        read = os.read(0, 1 << 20)
        if not read:
            return
        *whole, rest = (rest + read).split(b"\n")
        yield from whole


def main() -> None:
    """Obey until standard input ends."""
    django.setup()
    publisher = Publisher()
    waiting: list[tuple[int, str]] = []
    for line in lines():
        name, arguments = json.loads(line) if line is not None else ("", {})
        if name == "publish":
            waiting += arguments
            continue
        if waiting:
            publisher.publish(waiting)
            waiting = []
        if name:
            sys.stdout.write(json.dumps(getattr(publisher, name)(**arguments)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
