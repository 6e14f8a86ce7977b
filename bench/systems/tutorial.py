"""The common Channels tutorial at its best, on daphne and uvicorn; see bench/tutorial."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jwt

from bench.house import PROJECT, House
from bench.posting import Request
from bench.processes import ChildProcess, Unavailable, accepts, free_port, pinned_to
from bench.publishing import Publisher
from bench.systems import Opening

ENVIRONMENT = PROJECT / "var" / "bench" / "tutorial"
REQUIREMENTS = PROJECT / "bench" / "tutorial" / "requirements.txt"
KEY = "this-key-signs-nothing-but-what-the-tutorial-makes"
BACKLOG = 4096
SERVERS = {
    "daphne": ["-m", "daphne", "--endpoint", "tcp:{port}:interface=127.0.0.1:backlog={backlog}", "--no-server-name"],
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "--backlog", "{backlog}", "--ws", "websockets-sansio"],
}
QUIET = {"daphne": ["-v", "0"], "uvicorn": ["--log-level", "error", "--no-access-log"]}


def python() -> Path:
    """Return the tutorial's own Python, made with its packages at the first time; raises ``Unavailable``."""
    program = ENVIRONMENT / "bin" / "python"
    made_for = ENVIRONMENT / "requirements.txt"
    if made_for.exists() and made_for.read_text() == REQUIREMENTS.read_text():
        return program
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        [str(program), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)],
    ):
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            raise Unavailable(
                f"{' '.join(command)} failed; expected Python's venv module and a package index that pip reaches. "
                f"It said:\n{said.stderr}"
            )
    made_for.write_text(REQUIREMENTS.read_text())
    return program


class Tutorial:
    """The tutorial on one server."""

    def __init__(self, house: House, *, server: str) -> None:
        self.name = f"tutorial, {server}"
        self.port = 0
        self.publisher: Publisher | None = None
        self._house = house
        self._server = server
        self._prefix = ""
        self._each = 0
        self._ids: list[int] = []
        self._process: ChildProcess | None = None

    @property
    def pids(self) -> Sequence[int]:
        """The server."""
        return [self._process.pid] if self._process else []

    @property
    def beside(self) -> Sequence[int]:
        """PostgreSQL and Redis."""
        return self._house.pids

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Make the users and start the server."""
        program = str(python())
        url, is_new = self._house.database("tutorial")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("USHER_")},
            "DJANGO_SETTINGS_MODULE": "bench.tutorial.settings",
            "DATABASE_URL": url,
            "REDIS_URL": self._house.redis.url,
            "TUTORIAL_KEY": KEY,
            "PYTHONPATH": str(PROJECT),
        }
        if is_new:
            with pinned_to(other):
                command = [program, "-m", "django", "migrate", "--verbosity", "0"]
                subprocess.run(command, cwd=PROJECT, env=environment, check=True)
        self.publisher = Publisher([program, "-m", "bench.tutorial.publisher"], environment, core=other)
        self._ids = self.publisher.ask("people", count=groups * each)
        self._each = each
        self.port = free_port()
        # The layer keeps the members of a server that was killed; these groups are this server's own.
        self._prefix = f"user_notifications_{time.monotonic_ns()}"
        arguments = [text.format(port=self.port, backlog=BACKLOG) for text in SERVERS[self._server]]
        with pinned_to(core):
            self._process = ChildProcess(
                [program, *arguments, *QUIET[self._server], "bench.tutorial.asgi:application"],
                log=folder / "server.log",
                environment=environment,
                folder=PROJECT,
            )
        self._process.wait_until(lambda: accepts(self.port))

    def group(self, number: int) -> str:
        """Return the name of a group in the layer."""
        return f"{self._prefix}_{number}"

    def opening(self, group: int, number: int) -> Opening:
        """Return the group's address with a user's token; the consumer has joined when it accepts."""
        token = jwt.encode({"user_id": self._ids[group * self._each + number]}, KEY, algorithm="HS256")
        return Opening(path=f"/ws/user_notifications/{self.group(group)}/?token={token}")

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Send to the groups."""
        if self.publisher is None:
            raise RuntimeError("publish() before start()")
        self.publisher.tell("publish", [(self.group(group), marker) for group, marker in events])

    def request_of(self, marker: str) -> Request:
        """Return the request by which a user is created."""
        name = f"p{time.monotonic_ns()}"
        body = {"username": name, "first_name": marker, "email": f"{name}@mail.test"}
        return Request(f"/users/{self.group(0)}/", {"Content-Type": "application/json"}, json.dumps(body).encode())

    def stop(self) -> None:
        """End server and publisher."""
        if self.publisher is not None:
            self.publisher.stop()
            self.publisher = None
        if self._process is not None:
            process, self._process = self._process, None
            process.end(signal.SIGKILL)  # it takes minutes to let 5,000 sockets go
