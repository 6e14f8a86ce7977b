"""
Bring what the tests need beside Python's packages: a browser, wscat, what the clients are tested with, the live page.

    .venv/bin/python -m tools.prepare_tests

The browser is an installed Chromium, else Debian's package, which takes root, else Playwright's own.
"""

import os
import shutil
import subprocess
import sys

from tools import browser, build_page, node

WSCAT = node.PROJECT / "tests" / "node"


def main() -> None:
    """Install what is missing, or end with a sentence that names it."""
    if browser.installed() is None:
        _provide_browser()
    node.install(WSCAT)
    node.install(node.CLIENTS)
    build_page.build()


def _provide_browser() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's chromium for the tests", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        update = ["apt-get", "update", "--quiet"]
        install = ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "chromium"]
        if all(_succeeds(command, environment) for command in (update, install)):
            return
    print("Fetching Playwright's Chromium for the tests, unless it is there", flush=True)
    if not _succeeds([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ)):
        sys.exit(browser.REMEDY)


def _succeeds(command: list[str], environment: dict[str, str]) -> bool:
    done = subprocess.run(
        command, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        sys.stdout.write(done.stdout[-3000:])
    return done.returncode == 0


if __name__ == "__main__":
    try:
        main()
    except node.NodeFailed as failure:
        sys.exit(f"The tests cannot be prepared: {failure}")
