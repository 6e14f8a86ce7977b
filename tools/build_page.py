"""
Build the live page into clients/live/dist, where ``serve`` finds it when it starts.

    .venv/bin/python -m tools.build_page

Needs no Node of the machine's. A stamp remembers what was built from which sources, so that a second run costs nothing.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import install, node

CLIENTS = node.CLIENTS
DIST = CLIENTS / "live" / "dist"
# Vite empties the folder before it writes, so that there is no stamp without what it stands for.
STAMP = DIST / ".vite" / "built-from"
SOURCES = ("live", "typescript/src", "package.json", "package-lock.json", ".npmrc")
NOT_SOURCES = {"node_modules", "dist", "tests"}
BUILDERS = (Path(__file__), install.FILES["page"])


def build() -> None:
    """Build the page unless it is there; raises ``NodeFailed``."""
    wanted = digest_of_sources()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    install.main("page")
    node.install(CLIENTS)
    print("Building the live page", flush=True)
    node.npm(CLIENTS, "run", "build", "--workspace", "live")
    # Beside each file that gains by it a compressed one, which is served to whoever takes it.
    subprocess.run([sys.executable, "-m", "whitenoise.compress", "--quiet", str(DIST)], check=True)
    STAMP.write_text(wanted)


def digest_of_sources() -> str:
    """Return a digest of all that the page is made of."""
    digest = hashlib.sha256()
    for file in sorted([*BUILDERS, *(file for name in SOURCES for file in _files(CLIENTS / name))]):
        digest.update(str(file.relative_to(node.PROJECT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.name not in NOT_SOURCES:
        for inner in path.iterdir():
            yield from _files(inner)


if __name__ == "__main__":
    try:
        build()
    except node.NodeFailed as failure:
        sys.exit(f"The live page could not be built: {failure}")
