"""What the peers have in common: one program, where it is installed, and how it is configured."""

import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.peers.http import HttpPublisher
from bench.processes import ChildProcess, Unavailable, accepts, as_many_files_as_may_be, pinned_to
from bench.systems import payload_of

PROJECT = Path(__file__).resolve().parent.parent.parent
SOURCES = PROJECT / "bench" / "peers"
INSTALLED = PROJECT / "var" / "bench" / "peers"
REMEDY = "`python -m bench.peers.install` installs it, or says why it cannot"


class Peer:
    """A system that is one program on a core of its own; ``start``, ``opening`` and ``publish`` are each peer's."""

    name = ""

    def __init__(self) -> None:
        self.version = ""
        """What the program says that it is; known once it has started."""
        self.port = 0
        self.pids: Sequence[int] = ()
        self.beside: Sequence[int] = ()
        self._ends = ExitStack()

    def run(
        self, command: Sequence[str | Path], *, core: int, folder: Path, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a program on ``core`` until it listens on ``self.port``; return the first line that it wrote."""
        require(Path(command[0]), self.name)
        as_many_files_as_may_be()
        with pinned_to(core):
            process = ChildProcess(
                command, log=folder / "log", environment={**os.environ, **(environment or {})}, folder=folder
            )
        self._ends.callback(process.end)
        process.wait_until(lambda: accepts(self.port))
        self.pids = (process.pid,)
        return process.output().partition("\n")[0]

    def stop(self) -> None:
        """End what was started, the last first."""
        self._ends.close()
        self.pids = self.beside = ()


class HttpPeer(Peer):
    """A peer that is told of an event by POST /<group>."""

    _publisher: HttpPublisher

    def run(
        self, command: Sequence[str | Path], *, core: int, folder: Path, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run it, and connect the publisher."""
        said = super().run(command, core=core, folder=folder, environment=environment)
        self._publisher = HttpPublisher(self.port)
        self._ends.callback(self._publisher.close)
        return said

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Publish one event for each (group, marker)."""
        self._publisher.publish([(group, payload_of(marker)) for group, marker in events])


def require(file: Path, name: str) -> None:
    """Raise ``Unavailable``, with the remedy, unless a file is there."""
    if not file.exists():
        raise Unavailable(f"{name} needs {file}, which is not there; {REMEDY}")


def configure(template: str, into: Path, **values: object) -> Path:
    """Fill ``@name@`` of a template in with values, this user's name among them; return the file."""
    known = {"user": getpass.getuser(), **values}
    file = into / template
    file.write_text(re.sub(r"@(\w+)@", lambda found: str(known[found[1]]), (SOURCES / template).read_text()))
    return file


def first_line(*command: str | Path) -> str:
    """Return the first line of what a command writes, wherever to and with whatever exit status."""
    said = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return said.stdout.strip().partition("\n")[0]


def debian_version(package: str) -> str:
    """Return the version of a package of Debian's; empty where it is not installed."""
    if not shutil.which("dpkg-query"):
        return ""
    state, _, version = first_line(
        "dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package
    ).partition(" ")
    return version if state == "installed" else ""
