"""Real processes for the tests: started, waited for, and ended by their own id."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SECONDS_TO_START = 30
SECONDS_TO_END = 20
# A test run that is killed cannot end what it started; where this program exists, the kernel then does.
SETPRIV = shutil.which("setpriv")
ENDED_WITH_US = [SETPRIV, "--pdeathsig", "KILL"] if SETPRIV else []


class DidNotStart(Exception):
    """A process that the tests need could not be started. Never a reason to skip: the tests are about real parts."""


class ChildProcess:
    """A program with its output in a file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.log = log
        self._command = [*ENDED_WITH_US, *(str(part) for part in command)]
        with log.open("ab") as output:
            # The shell's interrupt goes to this process alone, which then ends its children in order.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                user=user,
                group=_group_of(user),
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def output(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Return when it is ready; raises ``DidNotStart`` with its output if it ends before or takes too long."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.is_running and time.monotonic() < deadline:
            if is_ready():
                return
            time.sleep(0.02)
        state = "not ready" if self.is_running else f"ended with {self._process.returncode}"
        self.end(signal.SIGKILL)
        raise DidNotStart(f"{self._command}: {state}; it wrote:\n{self.output()[-4000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return its exit code once it has ended; kills it, and says so, if it does not end by itself."""
        try:
            return self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self._command} was still running {SECONDS_TO_END} s after its end") from None

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it, if it still runs, and return its exit code."""
        if self.is_running:
            self.send(by)
        return self.wait()


def free_port() -> int:
    """Return a TCP port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _group_of(user: str | None) -> int | None:
    """Return the id of a system user's own group."""
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid
