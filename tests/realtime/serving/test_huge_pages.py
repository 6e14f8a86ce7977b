"""That a server's memory comes to lie in huge pages, and what is left as it is."""

import importlib
import json
import subprocess
import sys
import threading

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
resident, pages = megabytes("Rss"), HugePages()
first = pages.gather()
told = dict(system_can=system_can, first=first, huge=megabytes("AnonHugePages"), grown=megabytes("Rss") - resident)
again = pages.gather()
more = [[number, str(number)] for number in range(300_000)]
print(json.dumps(told | dict(again=again, later=pages.gather())))
"""


@pytest.fixture(scope="module")
def process():
    """What happened in a process that had some 35 MB of small objects, twice, and 20 threads."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def test_what_is_filled_becomes_huge_where_the_system_can_do_it(process):
    found, made = process["first"]
    assert found >= 5
    # Now and then one cannot be made, where memory is in small pieces.
    assert made >= 5 if process["system_can"] else made == 0
    assert process["huge"] >= 2 * made


def test_it_costs_little_and_the_stacks_of_threads_nothing(process):
    found, _ = process["first"]
    assert process["grown"] < found * 2 * (1 - huge_pages.FILLED) + 2


def test_each_piece_is_made_once_and_what_comes_later_too(process):
    found, made = process["first"]
    again, made_again = process["again"]
    assert again == found - made, "what could not be made is tried again, and nothing else"
    later, _ = process["later"]
    assert later - (again - made_again) >= 5


def test_a_look_that_fails_is_not_the_last(monkeypatch):
    """A server at its limit of open files cannot even see where its memory is."""

    class Over(BaseException):
        pass

    looks = iter([OSError("too many open files"), (3, 3), Over()])
    waited = []

    def looking(self):
        found = next(looks)
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr(huge_pages.time, "sleep", waited.append)
    monkeypatch.setattr(HugePages, "gather", looking)

    with pytest.raises(Over):
        HugePages()._keep()

    assert waited == [huge_pages.LOOK_SECONDS, huge_pages.RETRY_SECONDS, huge_pages.LOOK_SECONDS]


def test_what_the_system_refuses_is_tried_again_until_it_is_made(monkeypatch):
    place, answers = 7 * huge_pages.HUGE_BYTES, iter([False, True])
    monkeypatch.setattr(huge_pages, "_places", lambda: [place])
    monkeypatch.setattr(huge_pages, "_filled", sorted)
    monkeypatch.setattr(HugePages, "_is_made", lambda self, of: next(answers))
    pages = HugePages()

    assert [pages.gather() for _ in range(3)] == [(1, 0), (1, 1), (0, 0)]


@pytest.mark.parametrize("are_allowed", [True, False])
def test_there_is_a_thread_for_it_where_the_system_allows_them(monkeypatch, are_allowed):
    looking = threading.Event()
    monkeypatch.setattr(huge_pages, "are_allowed", lambda: are_allowed)
    monkeypatch.setattr(HugePages, "_keep", lambda self: looking.set())

    HugePages().start()

    for thread in threading.enumerate():
        if thread.name == "usher-huge-pages":
            thread.join()
    assert looking.is_set() is are_allowed


@pytest.mark.parametrize(
    ("switch", "own_switch", "size", "are_allowed"),
    [
        ("[always] madvise never", None, 2_097_152, True),
        ("always [madvise] never", "always [inherit] madvise never", 2_097_152, True),
        ("always madvise [never]", None, 2_097_152, False),
        ("always [madvise] never", "always inherit madvise [never]", 2_097_152, False),
        ("always [madvise] never", None, 536_870_912, False),
    ],
    ids=["always", "for those who ask", "never", "never of this size", "of another size"],
)
def test_whoever_has_switched_them_off_is_heeded(switch, own_switch, size, are_allowed, tmp_path, monkeypatch):
    monkeypatch.setattr(huge_pages, "SETTINGS", tmp_path)
    assert not huge_pages.are_allowed(), "no such switch: a system without them"
    (tmp_path / "enabled").write_text(switch + "\n")
    (tmp_path / "hpage_pmd_size").write_text(f"{size}\n")
    if own_switch is not None:
        (tmp_path / "hugepages-2048kB").mkdir()
        (tmp_path / "hugepages-2048kB" / "enabled").write_text(own_switch + "\n")
    assert huge_pages.are_allowed() is are_allowed


def test_a_server_looks_after_it(monkeypatch, server_name):
    class Seen(Exception):
        pass

    def see(self):
        raise Seen

    server = importlib.import_module(f"realtime.serving.{server_name}")
    for other in ("return_large_buffers", "spare_what_stays"):
        monkeypatch.setattr(server, other, lambda: None)  # of this very process
    monkeypatch.setattr(HugePages, "start", see)

    with pytest.raises(Seen):
        server.run(application=None, host="127.0.0.1", port=0, drain=None, on_listening=pytest.fail)
