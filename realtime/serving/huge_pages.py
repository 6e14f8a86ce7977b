"""
Huge pages for what a server keeps of its tenants and sockets.

Of thousands of tenants each event is another one's, and what it takes of memory, some kilobytes, lies here and there in
a hundred megabytes. A processor remembers the way to some thousand pages. To any other it looks it up first, on a
virtual machine with two dozen reads, and then there is nothing yet but an address. Pages of 2 MB are few enough.

Linux makes them by itself where it is told to do so always, and otherwise for those who ask. Python does not ask.
"""

import ctypes
import mmap
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MADV_COLLAPSE = 25
"""Of madvise(2): make one of these out of small ones, now. Since Linux 6.1; an older one refuses."""
HUGE_BYTES = 2 * 1024 * 1024
FILLED = 7 / 8
"""So much of a huge page has to be in use already: what is not takes memory from then on."""
LOOK_SECONDS = 3.0
"""How often there is a look at what the process has got since."""
LOOKS_TO_REMEMBER = 100
"""So many looks later all is looked at anew: what was given back, and got again, may be small pages by then."""
RETRY_SECONDS = 60.0
"""When the next look comes after one in which the system could make none: its memory is in too small pieces."""
APART_SECONDS = 0.01
"""From one page to the next: each takes a millisecond or more, in which whoever wants memory of the system waits."""
SETTINGS = Path("/sys/kernel/mm/transparent_hugepage")
PRESENT = 0x80
"""Of the last byte of eight that /proc/self/pagemap has for each small page: it lies in memory."""


class HugePages:
    """Makes huge pages of the memory of this process, where it is filled. Nothing relies on them."""

    def __init__(self) -> None:
        self._madvise = ctypes.CDLL(None).madvise
        self._done: set[int] = set()

    def start(self) -> None:
        """Look after it on a thread of its own, as long as the process lives, if the system has such pages at all."""
        if are_allowed():
            threading.Thread(target=self._keep, name="usher-huge-pages", daemon=True).start()

    def _keep(self) -> None:
        looks = 0
        pause = LOOK_SECONDS
        while True:
            time.sleep(pause)
            looks += 1
            if looks % LOOKS_TO_REMEMBER == 0:
                self._done.clear()
            try:
                found, made = self.gather()
            except OSError:  # no file may be opened any more, or not these: the small pages are as good as before
                found, made = 1, 0
            pause = RETRY_SECONDS if found and not made else LOOK_SECONDS

    def gather(self) -> tuple[int, int]:
        """
        Make huge pages of what has been filled since the last time; return how many could be made, and were.

        Raises ``OSError`` if this process may not see where its memory is.
        """
        places = set(_places())
        self._done &= places
        filled = _filled(places - self._done)
        made = [place for place in filled if self._is_made(place)]
        self._done.update(made)
        return len(filled), len(made)

    def _is_made(self, place: int) -> bool:
        time.sleep(APART_SECONDS)
        refused: int = self._madvise(ctypes.c_void_p(place), ctypes.c_size_t(HUGE_BYTES), MADV_COLLAPSE)
        return not refused


def are_allowed() -> bool:
    """Tell whether the system makes huge pages of this size for those who ask, and nobody has told it not to."""
    # To make one at once is possible even where a switch says never; whoever has set it so had a reason.
    try:
        size = int((SETTINGS / "hpage_pmd_size").read_text())
        switches = [SETTINGS / "enabled", *SETTINGS.glob(f"hugepages-{HUGE_BYTES // 1024}kB/enabled")]
        return size == HUGE_BYTES and not any("[never]" in switch.read_text() for switch in switches)
    except OSError:
        return False  # no Linux, or one without them


def _places() -> Iterator[int]:
    """Yield where a huge page would lie in memory that is this process's own, and of no file."""
    for line in Path("/proc/self/maps").read_bytes().splitlines():
        region, flags, _, _, _, *name = line.split()
        if flags == b"rw-p" and name in ([], [b"[heap]"]):
            begin, end = (int(address, 16) for address in region.split(b"-"))
            first = -(-begin // HUGE_BYTES) * HUGE_BYTES
            yield from range(first, end - HUGE_BYTES + 1, HUGE_BYTES)


def _filled(places: set[int]) -> list[int]:
    """Return those that are in use. Of a thread's stack, which is large, hardly anything ever is."""
    # mincore(2) tells the same, but is not among the calls that systemd calls harmless: there it would end the process.
    small = HUGE_BYTES // mmap.PAGESIZE
    filled = []
    with Path("/proc/self/pagemap").open("rb") as pages:
        for place in sorted(places):
            entries = os.pread(pages.fileno(), 8 * small, 8 * (place // mmap.PAGESIZE))
            if sum(last >= PRESENT for last in entries[7::8]) >= FILLED * small:
                filled.append(place)
    return filled
