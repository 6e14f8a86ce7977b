"""What a process holds: memory and file descriptors, as the kernel counts them."""

from pathlib import Path


def resident_megabytes(pid: int) -> float:
    """Return the memory that a process holds now."""
    return _status(pid, "VmRSS") / 1024


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process has ever held."""
    return _status(pid, "VmHWM") / 1024


def descriptors(pid: int) -> int:
    """Return how many file descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _status(pid: int, name: str) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split(f"{name}:")[1].split()[0])
