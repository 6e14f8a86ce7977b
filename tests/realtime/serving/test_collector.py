"""What the collector leaves alone in a server, and that it still comes."""

import subprocess
import sys

import pytest

from tests.realtime.serving.conftest import ROOT

SCRIPT = """
import gc, weakref
from realtime.serving import {server}

def listening(host, port):
    print(gc.get_freeze_count(), *gc.get_threshold(), flush=True)

class Ends:
    pass

class Circle:
    def __init__(self):
        self.itself, self.end, self.more = self, ends, [[] for _ in range(50)]

async def drained():
    global ends
    ends = Ends()
    seen = weakref.ref(ends)
    circle = Circle()
    del circle, ends
    kept = []
    while seen() is not None and len(kept) < 1_000_000:
        kept.append([])
    print("ended" if seen() is None else "never")

{server}.run(application=None, host="127.0.0.1", port=0, drain=drained, on_listening=listening)
"""


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_it_looks_at_what_came_since_the_start_and_not_at_what_was_there(server):
    program = SCRIPT.format(server=server)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        frozen, *thresholds = map(int, process.stdout.readline().split())
        process.terminate()
        told = process.stdout.readline()

    assert frozen > 20_000
    assert thresholds == [10_000, 5, 5]
    assert told == "ended\n", "what ends in a circle is found"
