"""Where a run took place, and what was measured: for the head of its results."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("django", "channels", "channels_redis", "redis", "daphne", "uvicorn", "psycopg", "msgspec")


def described() -> dict[str, Any]:
    """Return the machine and the versions."""
    return {
        "processor": _from("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int((_from("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 2**20),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _commit(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _from(file: str, name: str) -> str | None:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return None


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"
