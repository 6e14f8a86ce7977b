"""Servers with clocks of their own: libfaketime, loaded into the process, and nothing of the product knows."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(str(find_spec("libfaketime").origin)).parent
LIBRARY = PACKAGE / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


class FalseClock:
    """The clock of one server; the file that says what it shows is read again each second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.show(0)

    def show(self, seconds: int) -> None:
        """Have it show so many seconds more (or less) than it is, from now on."""
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{seconds:+d}s\n")
        aside.replace(self._file)  # at once: half a file would be no time

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment to live by it."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            # A machine whose clock is set goes on measuring time as before, and its files keep their dates.
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            # The library forgets that for one wait, which is that for Python's lock: it would be handed on at once,
            # each time, or after minutes. 5 ms is Python's own interval.
            "FAKETIME_WAIT_MS": "5",
            "FAKETIME_FORCE_MONOTONIC_FIX": "1",
        }
