"""What py-spy recorded is brought to parts."""

import pytest

from bench.processes import Unavailable
from bench.profiling import PARTS, part_of, recorded, shares

SERVING = (
    "Command.handle (accounts/management/commands/serve.py:39);Server.run (uvicorn/server.py:85);"
    "BaseEventLoop.run_forever (asyncio/base_events.py:593);BaseEventLoop._run_once (asyncio/base_events.py:1845)"
)
READ = f"{SERVING};Handle._run (asyncio/events.py:78);Hub._read (realtime/hub.py:200)"
WRITING = (
    f"{READ};FastLane.send (realtime/outlets.py:146);_SelectorSocketTransport.write (asyncio/selector_events.py:1)"
)
THREAD = "Thread._bootstrap (threading.py:988);Thread.run (threading.py:971);_worker (concurrent/futures/thread.py:69)"
ASKING = f"{THREAD};read (realtime/snapshot.py:120);Cursor.execute (psycopg/cursor.py:100);run (contextlib.py:1)"


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (WRITING, "writing to sockets"),
        (f"{READ};hand_out (realtime/connection.py:61)", "writing to sockets"),
        (f"{READ};hand_out (realtime/connection.py:65);Connection.offer (realtime/connection.py:150)", "connections"),
        (READ, "hub, batches"),
        (ASKING, "snapshot, database"),
        (f"{SERVING};Handle._run (asyncio/events.py:78)", "loop, threads"),
        (SERVING, "loop, threads"),
        (THREAD, "loop, threads"),
        ("<module> (<string>:1)", "other"),
    ],
)
def test_a_stack_is_of_the_part_of_its_innermost_frame_that_is_of_any(stack, part):
    assert part_of(stack) == part


def test_shares_are_of_all_samples_of_threads_that_do_not_wait():
    found = shares(
        [f"{WRITING} 3", f"{ASKING} 1", f"{SERVING};EpollSelector.select (selectors.py:451) 2", f"{THREAD} 5"]
    )

    assert (found["writing to sockets"], found["snapshot, database"], sum(found.values())) == (0.75, 0.25, 1)
    assert set(PARTS) <= set(found)
    assert shares([]) == {}


def test_without_py_spy_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Unavailable, match="install it by: pip install py-spy"), recorded(1, tmp_path / "stacks"):
        pass
