"""The programs in C: the load client, the floor, what keeps a core awake. Compiled when a benchmark needs them."""

import shutil
import subprocess
from pathlib import Path

from bench.processes import Unavailable

SOURCES = Path(__file__).parent
BUILT = SOURCES.parent.parent / "var" / "bench" / "programs"
FILES = {"load": ("load.c", "sockets.c"), "floor": ("floor.c",), "awake": ("awake.c",)}
NO_COMPILER = (
    "gcc is not on this machine; expected a C compiler for the benchmarks' load client: install it with "
    "`apt-get install build-essential`"
)


def compiled(name: str) -> Path:
    """Return the path of a program, made anew if its source is newer; raises ``Unavailable`` without a compiler."""
    built = BUILT / name
    sources = [SOURCES / file for file in FILES[name]]
    written = max(file.stat().st_mtime for file in SOURCES.iterdir() if file.suffix in {".c", ".h"})
    if built.exists() and built.stat().st_mtime >= written:
        return built
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Unavailable(NO_COMPILER)
    BUILT.mkdir(parents=True, exist_ok=True)
    being_built = built.with_suffix(".new")
    command: list[str | Path] = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", being_built, *sources]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise Unavailable(f"{' '.join(map(str, command))} failed; it said:\n{said.stderr}")
    being_built.replace(built)
    return built
