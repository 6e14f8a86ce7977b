"""Usher as real processes: ``manage.py serve`` as a deployment runs it, in every combination that is supported."""

import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

from config.env import PROJECT
from config.limits import Limits
from config.logs import IN_PLACE_OF_ONE
from tests.databases import Vendor
from tests.services.processes import ChildProcess

Layer = Literal["memory", "pubsub", "core"]
ServerName = Literal["daphne", "uvicorn"]
RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} )", re.MULTILINE)
TOKEN = re.compile(r"eyJ[\w-]{6}")
"""How each token begins, in its header and in its claims."""
LISTENING = re.compile(r"^usher: listening on (http://\S+)$", re.MULTILINE)
WITHOUT_LIMITS = {
    "USHER_SIGNUP_RATE": "1000000/min",
    **{
        str(field.validation_alias): "1000000" if field.annotation is int else "1000000/min"
        for name, field in Limits.model_fields.items()
        if name not in {"trusted_proxies", "waiting_per_process", "waiting_per_address", "hashings_at_once"}
    },
}
MEASURING = "COVERAGE_PROCESS_CONFIG"
"""By this variable coverage.py reaches into the processes that a test starts."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Combination:
    """What a server can be made of."""

    vendor: Vendor
    layer: Layer
    name: ServerName

    def __str__(self) -> str:
        return f"{self.vendor}-{self.layer}-{self.name}"


STORES: tuple[tuple[Vendor, Layer], ...] = (("sqlite", "memory"), ("postgresql", "pubsub"), ("postgresql", "core"))
NAMES: tuple[ServerName, ...] = ("daphne", "uvicorn")
COMBINATIONS = [Combination(vendor, layer, name) for vendor, layer in STORES for name in NAMES]
TYPICAL = [Combination("sqlite", "memory", "daphne"), Combination("postgresql", "pubsub", "uvicorn")]
"""What ``make run`` starts, and what is recommended for production."""


class Server:
    """A server that listens at ``address``. Use it as a context: it is ended, and its log looked at, at the end."""

    def __init__(
        self, name: ServerName, *, folder: Path, variables: Mapping[str, str], port: int = 0, waits: bool = True
    ) -> None:
        self.name = name
        self.variables = environment_of(variables)
        self.expected_to_complain: tuple[str, ...] = ()
        """Loggers that may write tracebacks, since a story breaks what they are about."""
        self._read = 0
        self.process = manage("serve", "--server", name, "--port", str(port), folder=folder, variables=self.variables)
        if waits:
            self.wait_until_up()

    def wait_until_up(self) -> None:
        """Return once it answers; raises ``DidNotStart``."""
        self.process.wait_until(self._is_up)

    @property
    def address(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:8000``."""
        found = LISTENING.search(self.process.output())
        assert found, f"no line says where it listens; it wrote:\n{self.process.output()}"
        return found[1]

    @property
    def jwt_key(self) -> str:
        """The key that its tokens are signed with."""
        return self.variables["USHER_JWT_KEY"]

    def complaints(self) -> str:
        """Return the log records since the last call that have a traceback in them, or anything of a token."""
        output = self.process.output()
        records, self._read = RECORD.split(output[self._read :]), len(output)
        expected = tuple(f" ERROR {logger}" for logger in self.expected_to_complain)
        return "".join(
            record
            for record in records
            if _tells_a_token(record) or ("Traceback" in record and not any(name in record for name in expected))
        )

    def stop(self) -> int:
        """Tell it to go, and return its exit code."""
        return self.process.end(signal.SIGTERM)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        was_running = self.process.is_running
        code = self.stop()
        complaints = self.complaints()
        assert not complaints, f"the server complained:\n{complaints}"
        assert code == 0 or not was_running, f"{self.name} ended with {code}"

    def _is_up(self) -> bool:
        if not LISTENING.search(self.process.output()):
            return False
        try:
            with urlopen(f"{self.address}/livez", timeout=5) as answer:
                return bool(answer.status == 200)
        except TimeoutError:  # the machine is busy; it is asked again, for as long as a start may take
            return False


def _tells_a_token(record: str) -> bool:
    """Tell whether a record has a token in it, or had one that was not in a path: nobody may rely on its going."""
    return bool(TOKEN.search(record)) or (IN_PLACE_OF_ONE in record and " django.request: " not in record)


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """
    Return the environment of a server: that of the tests, as the demo, without the limits that tests would reach.

    A test that is about a limit gives the one that it means. With FAST_LANE=off the servers of all tests are without
    that. What a server executes is not measured, since that makes it twice as slow, unless ``measured()`` is among the
    variables.
    """
    return {
        **{name: value for name, value in os.environ.items() if name != MEASURING},
        "DJANGO_SETTINGS_MODULE": "tests.stories.settings",
        "USHER_DEMO": "1",
        **WITHOUT_LIMITS,
        "USHER_FAST_LANE": os.environ.get("FAST_LANE", "on"),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }


def measured() -> dict[str, str]:
    """Return the variables by which coverage.py, if it runs, measures what a server executes."""
    return {MEASURING: os.environ[MEASURING]} if MEASURING in os.environ else {}


def manage(command: str, *arguments: str, folder: Path, variables: Mapping[str, str]) -> ChildProcess:
    """Start a management command; its output goes to a file of its own in ``folder``."""
    return ChildProcess(
        [sys.executable, "manage.py", command, *arguments],
        log=folder / f"{next(_numbers)}-{command}.log",
        environment=variables,
        folder=PROJECT,
    )


def load_demo(database_url: str, *, folder: Path) -> None:
    """Put the demo's tenants and people into a database."""
    command = manage("load_demo", folder=folder, variables=environment_of({"DATABASE_URL": database_url}))
    code = command.wait()
    assert code == 0, f"load_demo ended with {code}; it wrote:\n{command.output()}"
