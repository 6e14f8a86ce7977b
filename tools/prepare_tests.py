"""
Bring what the tests need beside Python's packages: a browser, and wscat on Node.

    python3 tools/prepare_tests.py

Debian's packages are installed where they are missing, which takes root; anybody else is told what to install.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE = Path(__file__).resolve().parent.parent / "tests" / "node"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# The program that must be there, and the Debian package that brings it.
PROGRAMS = {"chromium": "chromium", "node": "nodejs", "npm": "npm"}


def main() -> None:
    """Install what is missing, or end with a sentence that names it."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        _install(missing)
    _install_wscat()


def _install(packages: list[str]) -> None:
    wanted = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"The tests need {wanted}; on Debian: sudo apt-get install {wanted}")
    print(f"Installing {wanted} for the tests", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "--quiet"], environment)
    _run(["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages], environment)


def _install_wscat() -> None:
    lock = NODE / "package-lock.json"
    stamp = NODE / "node_modules" / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing wscat for the tests", flush=True)
    # Node brings its own list of authorities; pip and apt believe those of the system, behind a company's proxy too.
    environment = ({"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.exists() else {}) | os.environ
    _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(NODE)], environment)
    stamp.write_text(wanted)


def _run(command: list[str], environment: dict[str, str]) -> None:
    out = subprocess.PIPE
    done = subprocess.run(command, env=environment, check=False, text=True, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.write(done.stdout[-3000:])
        sys.exit(f"This failed, see above: {' '.join(command)}")


if __name__ == "__main__":
    main()
