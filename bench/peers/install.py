"""
Bring what the peers are made of: Debian's packages, npm's, and the program that is built from Debian's Go library.

    .venv/bin/python -m bench.peers.install

Debian's are installed by apt-get, which takes root; all else goes into var/bench/peers/. What is there is not asked for
again. What cannot be had is named with its remedy, and the rest is installed all the same.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.npm import PACKAGES
from bench.peers.peer import INSTALLED, PROJECT, SOURCES, debian_version
from tools import node

DEBIAN = ("nginx", "libnginx-mod-nchan", "mosquitto", "golang-go", "golang-github-centrifugal-centrifuge-dev")
# What the last one is built with, and does not itself depend on.
DEBIAN_GO = (
    "golang-github-centrifugal-protocol-dev",
    "golang-github-fzambia-eagle-dev",
    "golang-github-igm-sockjs-go-dev",
    "golang-github-mna-redisc-dev",
)
LOG = INSTALLED / "log"
GO_LIBRARIES = Path("/usr/share/gocode")
SERVICES = Path("/usr/sbin/policy-rc.d")
MAIN = SOURCES / "centrifuge" / "main.go"


class NotInstalled(Exception):
    """Something is missing; the text says how to get it."""


def install_from_debian() -> None:
    """Install Debian's packages; raises ``NotInstalled`` where that takes somebody else."""
    missing = [package for package in (*DEBIAN, *DEBIAN_GO) if not debian_version(package)]
    if not missing:
        return
    command = ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing]
    remedy = f"as root of a Debian 12: {' '.join(command)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotInstalled(f"{', '.join(missing)}: not installed; {remedy}")
    print(f"Installing Debian's {', '.join(missing)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_started():
        if not (_succeeds(["apt-get", "update", "--quiet"], environment) and _succeeds(command, environment)):
            raise NotInstalled(f"{', '.join(missing)}: apt-get failed, {_log()} says why; {remedy}")


def install_from_npm() -> None:
    """Install what bench/peers/node/package-lock.json names; raises ``NotInstalled``."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / "node" / name, PACKAGES / name)
    try:
        node.install(PACKAGES)
    except node.NodeFailed as failure:
        raise NotInstalled(f"Socket.IO and ws: {failure}") from None


def build_centrifuge() -> None:
    """Build Centrifuge's program against Debian's library alone, without a network; raises ``NotInstalled``."""
    program, library = INSTALLED / "centrifuge", debian_version(DEBIAN[-1])
    if program.exists() and program.stat().st_mtime > MAIN.stat().st_mtime:
        return
    if not shutil.which("go") or not library:
        raise NotInstalled("Centrifuge: needs golang-go and golang-github-centrifugal-centrifuge-dev of Debian 12")
    print("Building Centrifuge", flush=True)
    environment = os.environ | {
        "GOPATH": str(GO_LIBRARIES),
        "GO111MODULE": "off",
        "GOCACHE": str(INSTALLED / "go-cache"),
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    command = ["go", "build", "-ldflags", f"-s -w -X main.library={library}", "-o", str(program), "."]
    if not _succeeds(command, environment, MAIN.parent):
        raise NotInstalled(f"Centrifuge: `go build` failed, {_log()} says why")


def main() -> None:
    """Install all, or end with a sentence for each thing that could not be."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    failures = []
    for install in (install_from_debian, install_from_npm, build_centrifuge):
        try:
            install()
        except NotInstalled as failure:
            failures.append(str(failure))
    if failures:
        sys.exit("\n".join(("Not every peer can be measured here.", *failures)))


@contextmanager
def _no_service_started() -> Iterator[None]:
    """Keep packages from starting their services, which would take the ports that these have by default."""
    if SERVICES.exists():
        yield
        return
    SERVICES.write_text("#!/bin/sh\nexit 101\n")
    SERVICES.chmod(0o755)
    try:
        yield
    finally:
        SERVICES.unlink()


def _succeeds(command: list[str], environment: dict[str, str], folder: Path = PROJECT) -> bool:
    with LOG.open("ab") as log:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return done.returncode == 0


def _log() -> Path:
    return LOG.relative_to(PROJECT)


if __name__ == "__main__":
    main()
