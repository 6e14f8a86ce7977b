"""Usher itself: ``manage.py serve`` on PostgreSQL and Redis, with its tenants, staff, roles and tokens."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bench.house import PROJECT, House, usher_environment
from bench.posting import Request
from bench.processes import ChildProcess, Unavailable, accepts, free_port, pinned_to
from bench.publishing import Publisher
from bench.systems import Opening

PATH = "/ws/user_notifications/"
PING, PONG = b'{"type":"ping"', b'{"type":"pong"}'
SYNCED = b'"type":"synced"'
LANE = "USHER_FAST_LANE"
PROGRAM = [sys.executable, "-m", "bench.usher.publisher"]
Lane = Literal["on", "off", "single"]
USUAL_CLASSES = 4
USER_CREATED, SAMPLE_TAKEN = "user.created", "sample.taken"
NAMES = {"on": ", lane", "off": "", "single": ", lane not joined"}
PRODUCT, SAMPLED = "config.settings", "bench.usher.settings"


class Publishers:
    """One publisher for each database and kind of events: its people stay when a server ends; the next finds them."""

    def __init__(self, house: House, *, core: int) -> None:
        self.house = house
        self._core = core
        self._running: dict[tuple[str, str], Publisher] = {}

    def of(self, settings: str, kind: str) -> Publisher:
        """Return the publisher of these settings and this kind of events."""
        if (settings, kind) not in self._running:
            url = self.house.migrated(settings)
            environment = usher_environment(url, settings=settings, REDIS_URL=self.house.redis.url, BENCH_KIND=kind)
            self._running[settings, kind] = Publisher(PROGRAM, environment, core=self._core)
        return self._running[settings, kind]

    def stop(self) -> None:
        """End them."""
        for publisher in self._running.values():
            publisher.stop()
        self._running.clear()


class Usher:
    """Usher on one server, with so many classes of viewers; a lane that is ``single`` writes each frame by itself."""

    def __init__(
        self,
        publishers: Publishers,
        *,
        server: str = "uvicorn",
        lane: Lane = "on",
        classes: int = USUAL_CLASSES,
        settings: str = PRODUCT,
        kind: str = USER_CREATED,
    ) -> None:
        # Those of another kind of events have K in their names always: rows of one name become one median.
        is_usual = classes == USUAL_CLASSES and kind == USER_CREATED
        self.name = f"Usher, {server}{NAMES[lane]}" + ("" if is_usual else f", K={classes}")
        self.port = 0
        self.classes = classes
        self.tokens: list[str] = []
        self._publishers = publishers
        self._server = server
        self._lane = lane
        self._settings = settings
        self._kind = kind
        self._each = 0
        self._process: ChildProcess | None = None

    @property
    def pids(self) -> Sequence[int]:
        """The server."""
        return [self._process.pid] if self._process else []

    @property
    def beside(self) -> Sequence[int]:
        """PostgreSQL and Redis. The publisher is not among them: it stands for the requests of a tenant's people."""
        return self._publishers.house.pids

    @property
    def publisher(self) -> Publisher:
        """Where its events come from."""
        return self._publishers.of(self._settings, self._kind)

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Make the people, mint their tokens, start the server."""
        self.tokens = self.publisher.ask("people", groups=groups, each=each, classes=self.classes)
        self._each = each
        self.port = free_port()
        house = self._publishers.house
        environment = usher_environment(
            house.migrated(self._settings),
            settings=self._settings,
            REDIS_URL=house.redis.url,
            PORT=str(self.port),
            **self._lane_switch(),
        )
        with pinned_to(core):
            self._process = ChildProcess(
                [sys.executable, "manage.py", "serve", "--server", self._server],
                log=folder / "server.log",
                environment=environment,
                folder=PROJECT,
            )
        process = self._process
        self._process.wait_until(lambda: "listening" in process.output() and accepts(self.port))

    def opening(self, group: int, number: int) -> Opening:
        """Return the opening of a viewer of a tenant, by his own token; he listens once he is told ``synced``."""
        token = self.tokens[group * self._each + number]
        return Opening(
            path=PATH,
            headers=(("Authorization", f"Bearer {token}"), ("Sec-WebSocket-Protocol", "usher.v1")),
            ready=SYNCED,
            pong=(PING, PONG),
        )

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Have users created."""
        self.publisher.tell("publish", events)

    def transactions(self) -> int:
        """Return in how many transactions everything has been published so far."""
        count: int = self.publisher.ask("transactions")
        return count

    def request_of(self, marker: str) -> Request:
        """Return the request by which the owner creates a user."""
        headers = {"Authorization": f"Bearer {self.tokens[0]}", "Content-Type": "application/json"}
        name = f"p{time.monotonic_ns()}"
        body = {"username": name, "full_name": marker, "email": f"{name}@mail.test", "phone": "+49 30 1234567"}
        return Request("/api/v1/users", headers, json.dumps(body).encode())

    def stop(self) -> None:
        """End the server; raises ``RuntimeError`` if it wrote a traceback."""
        if self._process is not None:
            process, self._process = self._process, None
            process.end()
            if "Traceback" in process.output():
                raise RuntimeError(f"{self.name} wrote a traceback:\n{process.output()[-4000:]}")

    def _lane_switch(self) -> dict[str, str]:
        from config.env import expectations

        if LANE in expectations():
            return {LANE: self._lane}
        if self._lane != "off":
            raise Unavailable(f"{LANE} is no variable of this version of the product; measure without the lane")
        return {}
