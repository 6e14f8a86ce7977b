"""That memory comes back when what needed it is over."""

import importlib
import subprocess
import sys
import time

import pytest

from tests.realtime.serving.conftest import PATIENCE, ROOT

RESIDENT = """
def resident():
    return int(open("/proc/self/status").read().split("VmRSS:")[1].split()[0]) / 1024
"""
BUFFERS = """
del bytearray(30_000_000)[:]  # from here on glibc would cut everything smaller from the heap
before = resident()
small = []
for _ in range(20):
    buffer = bytes(2_000_000)
    small.append(bytearray(100_000))  # outlives it
    del buffer
    buffers = [bytes(1_900_000 + number) for number in range(4)]
print(resident() - before - sum(map(len, small)) / 1024 / 1024)
"""


def grown_megabytes(rule: str) -> float:
    """Run the script in a process of its own, after the rule or without; return by how much that has grown."""
    script = f"{RESIDENT}\nfrom realtime.serving import memory\n{rule}\n{BUFFERS}"
    command = [sys.executable, "-c", script]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def test_large_buffers_go_back_whatever_lies_beside_them():
    with_rule = grown_megabytes("assert memory.return_large_buffers()")
    without = grown_megabytes("")

    assert with_rule < 2
    assert without > 10, "the test sees what it is about"


def test_a_server_sees_to_that_before_it_listens(monkeypatch, server_name):
    class Seen(Exception):
        pass

    def see():
        raise Seen

    server = importlib.import_module(f"realtime.serving.{server_name}")
    monkeypatch.setattr(server, "return_large_buffers", see)

    with pytest.raises(Seen):
        server.run(application=None, host="127.0.0.1", port=0, drain=None, on_listening=pytest.fail)


def test_a_socket_that_came_and_went_is_not_kept(start):
    server = start(handshake_seconds=3600)
    for _ in range(20):
        with server.socket("/echo") as socket:
            socket.send("x")
            assert socket.recv() == "x"

    deadline = time.monotonic() + PATIENCE
    while (kept := server.get("/kept")["kept"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not kept
    with server.socket("/echo"):
        assert server.get("/kept")["kept"] == 1
