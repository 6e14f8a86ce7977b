"""The demo as ``make run`` serves it: a process of its own, on a database of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from config.env import PROJECT
from tests import environment
from tests.services.processes import ChildProcess, free_port

PASSWORD = "usher-demo"


def manage(*arguments: str) -> list[str]:
    """Return the command line of one of the product's commands."""
    return [sys.executable, str(PROJECT / "manage.py"), *arguments]


class DemoServer:
    """A server of the demo; ``url`` is where it is found, across restarts."""

    def __init__(self, folder: Path, database_url: str, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment.with_new_keys() | {
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "USHER_DEMO": "1",
            **variables,
        }
        self._log = folder / "serve.log"
        self._folder = folder
        subprocess.run(manage("load_demo"), env=self.environment, check=True, capture_output=True)
        self.start()

    def start(self) -> None:
        """Start it, and return once it listens."""
        self._log.unlink(missing_ok=True)
        self.process = ChildProcess(manage("serve"), log=self._log, environment=self.environment)
        self.process.wait_until(lambda: "listening on" in self.process.output())

    def stop(self) -> None:
        """End it as its operator would."""
        self.process.end()

    def run(self, *arguments: str, **variables: str) -> ChildProcess:
        """Start one of the product's commands beside it, such as ``watch``."""
        log = self._folder / f"{len(list(self._folder.iterdir()))}.log"
        return ChildProcess(manage(*arguments), log=log, environment=self.environment | variables)

    def sign_up(self, username: str, **fields: str) -> dict[str, Any]:
        """Sign somebody up at acme."""
        body = {"username": username, "password": "correct-horse", **fields}
        answer = httpx.post(f"{self.url}/api/v1/tenants/acme/signup", json=body)
        answer.raise_for_status()
        created: dict[str, Any] = answer.json()
        return created

    def token(self, username: str, *, tenant: str = "acme") -> str:
        """Log in and return the access token."""
        body = {"tenant": tenant, "username": username, "password": PASSWORD}
        answer = httpx.post(f"{self.url}/api/v1/auth/token", json=body)
        answer.raise_for_status()
        token: str = answer.json()["access"]
        return token
