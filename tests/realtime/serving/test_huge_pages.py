"""That a server's memory comes to lie in huge pages, and what is left as it is."""

import importlib
import json
import subprocess
import sys

import pytest

from realtime.serving import huge_pages
from realtime.serving.huge_pages import HugePages
from tests.realtime.serving.conftest import ROOT

SCRIPT = """
import ctypes, json, mmap, threading
from realtime.serving.huge_pages import HUGE_BYTES, MADV_COLLAPSE, HugePages

def megabytes(name):
    lines = [line.split() for line in open("/proc/self/smaps") if line.startswith(name + ":")]
    return sum(int(line[1]) for line in lines) / 1024

def can():  # asked of the system without what is tested
    memory = mmap.mmap(-1, 3 * HUGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = b"x" * len(memory)
    place = -(-ctypes.addressof(ctypes.c_char.from_buffer(memory)) // HUGE_BYTES) * HUGE_BYTES
    return ctypes.CDLL(None).madvise(ctypes.c_void_p(place), ctypes.c_size_t(HUGE_BYTES), MADV_COLLAPSE) == 0

system_can = can()
hold = threading.Event()
for _ in range(20):
    threading.Thread(target=hold.wait, daemon=True).start()
kept = [[number, str(number)] for number in range(300_000)]
resident, before = megabytes("Rss"), megabytes("AnonHugePages")
pages = HugePages()
found = pages.gather()
huge, grown, again = megabytes("AnonHugePages") - before, megabytes("Rss") - resident, pages.gather()
more = [[number, str(number)] for number in range(300_000)]
print(json.dumps(dict(system_can=system_can, found=found, huge=huge, grown=grown, again=again, more=pages.gather())))
"""


@pytest.fixture(scope="module")
def process():
    """What happened in a process that had some 35 MB of small objects, twice, and 20 threads."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_what_is_filled_becomes_huge_where_the_system_can_do_it(process):
    assert process["found"] >= 5
    assert process["huge"] == (2 * process["found"] if process["system_can"] else 0)


def test_it_costs_little_and_the_stacks_of_threads_nothing(process):
    assert process["grown"] < process["found"] * 2 * (1 - huge_pages.FILLED) + 2


def test_each_piece_is_taken_once_and_what_comes_later_too(process):
    assert process["again"] == 0
    assert process["more"] >= 5


def test_a_system_that_can_do_it_in_its_own_time_only_is_asked_to(monkeypatch):
    asked = []

    class OldLinux:
        def mincore(self, at, size, resident):
            resident.raw = b"\1" * len(resident.raw)
            return 0

        def madvise(self, at, size, advice):
            asked.append((at.value, size.value, advice))
            huge_pages.ctypes.set_errno(huge_pages.errno.EINVAL)
            return -1 if advice == huge_pages.MADV_COLLAPSE else 0

    place = 7 * huge_pages.HUGE_BYTES
    monkeypatch.setattr(huge_pages, "_places", lambda: iter([place]))
    pages = HugePages()
    pages._system = OldLinux()

    assert pages.gather() == 1
    assert asked == [(place, huge_pages.HUGE_BYTES, advice) for advice in (25, 14)]


@pytest.mark.parametrize(
    ("switch", "size", "are_allowed"),
    [
        ("[always] madvise never", 2_097_152, True),
        ("always [madvise] never", 2_097_152, True),
        ("always madvise [never]", 2_097_152, False),
        ("always [madvise] never", 536_870_912, False),
    ],
)
def test_whoever_has_switched_them_off_is_heeded(switch, size, are_allowed, tmp_path, monkeypatch):
    monkeypatch.setattr(huge_pages, "SETTINGS", tmp_path)
    assert not huge_pages.are_allowed(), "no such switch: a system without them"
    (tmp_path / "enabled").write_text(switch + "\n")
    (tmp_path / "hpage_pmd_size").write_text(f"{size}\n")
    assert huge_pages.are_allowed() is are_allowed


def test_a_server_looks_after_it(monkeypatch, server_name):
    class Seen(Exception):
        pass

    def see(self):
        raise Seen

    monkeypatch.setattr(HugePages, "start", see)
    server = importlib.import_module(f"realtime.serving.{server_name}")

    with pytest.raises(Seen):
        server.run(application=None, host="127.0.0.1", port=0, drain=None, on_listening=pytest.fail)
