"""One run of the benchmarks: its cores, its services, its systems, the rows that it has measured."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench.awake import kept_awake
from bench.client import ClientFailed, LoadClient
from bench.house import House
from bench.loop import PATIENCE_SECONDS, Traffic
from bench.processes import DidNotStart, Unavailable
from bench.profiling import LONGER, recorded
from bench.systems import System
from bench.systems.usher import Publishers

Row = dict[str, Any]
Some = TypeVar("Some", bound=System)
SERVERS, OTHERS = 0, 1
"""The core of the servers under test, and that of everything else."""
QUICK_SHARE = 0.25
HARM = ("lost", "repeated", "astray", "closed", "refused")
"""Columns that must be 0 for every system but the tutorial."""


@dataclass
class Run:
    """What shapes have at hand."""

    folder: Path
    is_quick: bool = False
    wanted: Sequence[str] = ()
    """Parts of names of systems; none means all."""
    rounds: int | None = None
    keeps_awake: bool = True
    """Whether the servers' core is kept from sleeping."""
    profiles: Path | None = None
    """Where to leave what py-spy recorded of each measured loop, if it is to."""
    house: House = field(default_factory=lambda: House(OTHERS))
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unavailable: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """What the systems said of themselves."""
    shape: str = ""

    def __post_init__(self) -> None:
        self.publishers = Publishers(self.house, core=OTHERS)

    @property
    def status(self) -> int:
        """What the program ends with: 1 if a message was lost, or Usher or the floor could not be measured."""
        ours = [name for name in self.unavailable if name.startswith(("Usher", "C floor"))]
        return 1 if self.problems or ours else 0

    def scaled(self, number: int, *, least: int = 1) -> int:
        """Return a number of sockets or events, or of a quick run a part of it."""
        return max(least, int(number * QUICK_SHARE)) if self.is_quick else number

    def seconds(self, seconds: float) -> float:
        """Return how long something is measured, or in a quick run a part of it, or if it is recorded longer."""
        return seconds * (QUICK_SHARE if self.is_quick else LONGER if self.profiles else 1)

    def wants(self, name: str) -> bool:
        """Tell whether a system of that name is asked for."""
        return not self.wanted or any(part in name for part in self.wanted)

    def in_turns(self, systems: Sequence[Some], *, rounds: int) -> Iterator[tuple[int, Some]]:
        """Give the wanted systems round by round, forwards and backwards in turn."""
        chosen = [system for system in systems if self.wants(system.name)]
        for number in range(self.rounds or (1 if self.is_quick or self.profiles else rounds)):
            for system in chosen if number % 2 == 0 else reversed(chosen):
                yield number, system

    @contextmanager
    def serving(self, system: System, *, groups: int, each: int) -> Iterator[Path]:
        """Have a system run, with places for so many sockets; gives a folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            folder.chmod(0o755)
            try:
                system.start(core=SERVERS, other=OTHERS, groups=groups, each=each, folder=folder)
                self._note_version(system)
                with kept_awake(SERVERS) if self.keeps_awake else nullcontext():
                    yield folder
            finally:
                system.stop()

    @contextmanager
    def sockets(
        self, system: System, folder: Path, *, groups: int, each: int, patience: float = PATIENCE_SECONDS
    ) -> Iterator[Traffic]:
        """Have a load client for a running system; it has opened none yet."""
        openings = ((group, system.opening(group, number)) for group in range(groups) for number in range(each))
        with LoadClient(port=system.port, core=OTHERS, folder=folder, openings=openings) as client:
            transactions = getattr(system, "transactions", None)
            traffic = Traffic(system, client, each=each, groups=groups, patience=patience, transactions=transactions)
            if self.profiles is not None:
                traffic.profiled = partial(self._profiled, self.profiles, system)
            yield traffic

    def _profiled(self, folder: Path, system: System, window: int) -> AbstractContextManager[None]:
        name = system.name.replace(", ", "-").replace(" ", "-")
        return recorded(system.pids[0], folder / f"{self.shape}-{name}-W{window}.txt")

    def attempt(self, system: System, what: Callable[[], None]) -> None:
        """Measure a system; what keeps it from being measured is noted, and the others go on."""
        if system.name in self.unavailable:
            return
        try:
            what()
        except Unavailable as reason:
            self.unavailable[system.name] = str(reason)
            print(f"  {system.name} is not measured: {reason}", flush=True)
        except (ClientFailed, DidNotStart, OSError, RuntimeError, AssertionError) as error:
            self.problems.append(f"{self.shape}, {system.name}: {type(error).__name__}: {error}")
            print(f"  FAILED {self.problems[-1]}", flush=True)

    def note(self, system: str, measured: Row, **where: Any) -> None:
        """Keep a row, and say it; harm to anybody but the tutorial is a problem."""
        row = {"shape": self.shape, "system": system, **where, **measured, "at": time.strftime("%H:%M:%S")}
        self.rows.append(row)
        harm = {name: row[name] for name in HARM if row.get(name)}
        if harm and not system.startswith("tutorial"):
            self.problems.append(f"{self.shape}, {system}, {where}: {harm}")
        print("  " + said(row), flush=True)

    def _note_version(self, system: System) -> None:
        version = getattr(system, "version", "")
        if version:
            self.versions[system.name] = version

    def stop(self) -> None:
        """End what all systems shared."""
        self.publishers.stop()
        self.house.stop()


def said(row: Row) -> str:
    """Return a row in a line."""
    shown = {name: value for name, value in row.items() if name not in {"shape", "system", "at"}}
    return f"{row['system']:<32} " + " ".join(f"{name}={_short(value)}" for name, value in shown.items())


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "/".join(_short(part) for part in value.values())
    return str(value)
