"""The tutorial's publishing process: sends to groups, makes users. See bench/publishing.py for its commands."""

import asyncio
import json
import sys
import time
from typing import Any

import django

WARM_UP = 5


class Publisher:
    """Obeys the commands."""

    def __init__(self) -> None:
        from channels.layers import get_channel_layer

        self._layer: Any = get_channel_layer()
        self._loop = asyncio.new_event_loop()

    def publish(self, events: list[tuple[str, str]]) -> None:
        """Send to each group its marker, one after the other."""
        self._loop.run_until_complete(self._send(events))

    async def _send(self, events: list[tuple[str, str]]) -> None:
        from bench.tutorial.notifications import event_of

        for group, marker in events:
            await self._layer.group_send(group, event_of(marker))

    def people(self, *, count: int) -> list[int]:
        """Return the ids of so many users, made where there are too few."""
        from django.contrib.auth import get_user_model

        users = get_user_model()._default_manager
        ids = list(users.filter(username__startswith="viewer ").order_by("pk").values_list("pk", flat=True)[:count])
        names = [f"viewer {number}" for number in range(len(ids), count)]
        return ids + [user.pk for user in users.bulk_create(get_user_model()(username=name) for name in names)]

    def creations(self, *, group: str, is_told: bool, count: int, pause: float) -> list[float]:
        """Return how many milliseconds each of so many creations took, with or without telling the group."""
        from django.contrib.auth import get_user_model

        from bench.tutorial.notifications import notify

        users: Any = get_user_model()._default_manager
        took = []
        for number in range(count + WARM_UP):
            name = f"n{time.monotonic_ns()}-{number}"
            began = time.perf_counter()
            users.create(username=name, first_name="somebody new", email=f"{name}@mail.test")
            if is_told:
                notify(group, "somebody new")
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(pause)
        return took[WARM_UP:]


def main() -> None:
    """Obey until standard input ends."""
    django.setup()
    publisher = Publisher()
    for line in sys.stdin.buffer:
        name, arguments = json.loads(line)
        if name == "publish":
            publisher.publish(arguments)
            continue
        sys.stdout.write(json.dumps(getattr(publisher, name)(**arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
