"""
Huge pages for what a server keeps of its tenants and sockets.

Of thousands of tenants each event is another one's, and what it takes of memory, some kilobytes, lies here and there in
a hundred megabytes. A processor remembers the way to some thousand pages. To any other it looks it up first, on a
virtual machine with two dozen reads, and then there is nothing yet but an address. Pages of 2 MB are few enough.

Linux makes them by itself where it is told to do so always, and otherwise for those who ask. Python does not ask.
"""

import ctypes
import errno
import mmap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
"""madvise(2): let a background task make one of these in its time; make one now, which Linux can do since 6.1."""
HUGE_BYTES = 2 * 1024 * 1024
FILLED = 7 / 8
"""So much of a huge page has to be in use already: what is not takes memory from then on."""
LOOK_SECONDS = 3.0
"""How often there is a look at what the process has got since."""
APART_SECONDS = 0.01
"""From one page to the next: each takes some milliseconds, in which whoever wants memory of the system waits."""
SETTINGS = Path("/sys/kernel/mm/transparent_hugepage")


class HugePages:
    """Makes huge pages of the memory of this process, once of each piece that is filled."""

    def __init__(self) -> None:
        self._system = ctypes.CDLL(None, use_errno=True)
        self._resident = ctypes.create_string_buffer(HUGE_BYTES // mmap.PAGESIZE)
        self._done: set[int] = set()

    def start(self) -> None:
        """Look after it on a thread of its own, as long as the process lives, if the system has such pages at all."""
        if are_allowed():
            threading.Thread(target=self._keep, name="usher-huge-pages", daemon=True).start()

    def _keep(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            self.gather()

    def gather(self) -> int:
        """Make huge pages of what has been filled since the last time; return of how many pieces."""
        places = set(_places())
        self._done &= places  # what was given back, and got again since, is new
        filled = [place for place in sorted(places - self._done) if self._is_filled(place)]
        for place in filled:
            self._make(place)
            time.sleep(APART_SECONDS)
        self._done.update(filled)
        return len(filled)

    def _is_filled(self, place: int) -> bool:
        # Stacks of threads are large, and hardly any of it is ever touched.
        if self._system.mincore(ctypes.c_void_p(place), ctypes.c_size_t(HUGE_BYTES), self._resident) != 0:
            return False  # given back meanwhile
        pages = self._resident.raw
        return pages.count(b"\1") >= FILLED * len(pages)

    def _make(self, place: int) -> None:
        """Make one huge page, or leave it: whatever is wrong, the small ones are as good as before."""
        at, size = ctypes.c_void_p(place), ctypes.c_size_t(HUGE_BYTES)
        if self._system.madvise(at, size, MADV_COLLAPSE) != 0 and ctypes.get_errno() == errno.EINVAL:
            self._system.madvise(at, size, MADV_HUGEPAGE)  # an older Linux


def are_allowed() -> bool:
    """Tell whether the system makes huge pages of this size for those who ask, and nobody has told it not to."""
    # To make one at once is possible even where the switch says never; whoever has set it so had a reason.
    try:
        switch, size = ((SETTINGS / name).read_text() for name in ("enabled", "hpage_pmd_size"))
    except OSError:
        return False  # no Linux, or one without them
    return "[never]" not in switch and int(size) == HUGE_BYTES


def _places() -> Iterator[int]:
    """Yield where a huge page would lie in memory that is this process's own, and of no file."""
    with Path("/proc/self/maps").open() as maps:
        for line in maps:
            region, flags, _, _, _, *name = line.split()
            if flags == "rw-p" and name in ([], ["[heap]"]):
                begin, end = (int(address, 16) for address in region.split("-"))
                first = -(-begin // HUGE_BYTES) * HUGE_BYTES
                yield from range(first, end - HUGE_BYTES + 1, HUGE_BYTES)
