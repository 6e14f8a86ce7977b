"""The load client sees every message, and every one that is missing, doubled or in the wrong place."""

import os
from contextlib import contextmanager

import pytest

from bench import run as running
from bench.client import frame_of
from bench.loop import Traffic, marker_of
from bench.processes import Unavailable
from bench.programs import NO_COMPILER, compiled
from bench.run import Run
from bench.shapes import crowd
from bench.systems import MARKER_BYTES, PAYLOAD_BYTES, payload_of
from bench.systems.floor import Floor

SOCKETS = 10


class Faulty(Floor):
    """The floor, which does something to its third event."""

    def __init__(self, harm):
        super().__init__()
        self._harm = harm

    def publish(self, events):
        for group, marker in events:
            number = int(marker[22:30])
            super().publish(self._harm(group, marker) if number == 2 else [(group, marker)])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run on whatever cores there are."""
    cores = sorted(os.sched_getaffinity(0))
    monkeypatch.setattr(running, "SERVERS", cores[0])
    monkeypatch.setattr(running, "OTHERS", cores[-1])
    return Run(tmp_path)


@pytest.fixture
def traffic(run):
    """Traffic of a system with two groups of five sockets, all of them open."""

    @contextmanager
    def open_traffic(system):
        with (
            run.serving(system, groups=2, each=5) as folder,
            run.sockets(system, folder, groups=2, each=5, patience=0.3) as traffic,
        ):
            assert traffic.client.open(SOCKETS)["open"] == SOCKETS
            yield traffic

    return open_traffic


def test_what_the_floor_sends_arrives_and_is_counted(traffic):
    with traffic(Floor()) as on_floor:
        measured = on_floor.measure(window=4, seconds=0.2)

    assert measured["deliveries"] == measured["owed"] == measured["events"] * 5 > 0
    assert [measured[harm] for harm in ("lost", "repeated", "astray", "closed")] == [0, 0, 0, 0]
    assert measured["bytes_per_delivery"] == PAYLOAD_BYTES + 4
    assert 0 < measured["latency_ms"]["p50"] <= measured["latency_ms"]["p99"] <= measured["latency_ms"]["most"]
    assert measured["cpu_us"] > 0


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda group, marker: [], {"lost": 5, "repeated": 0, "astray": 0}),
        (lambda group, marker: [(group, marker)] * 2, {"lost": 0, "repeated": 5, "astray": 0}),
        (lambda group, marker: [(0, marker), (1, marker)], {"lost": 0, "repeated": 0, "astray": 5}),
    ],
    ids=["lost", "repeated", "astray"],
)
def test_harm_to_one_event_is_counted_and_ends_the_run_with_1(run, traffic, harm, expected):
    with traffic(Faulty(harm)) as faulty:
        measured = faulty.counted(lambda: faulty.burst(5))
        faulty.burst(1)  # the harm may arrive behind what it is seen by
        measured |= {name: value for name, value in faulty.client.report().items() if name in ("repeated", "astray")}

    assert {name: measured[name] for name in expected} == expected
    run.note("C floor", measured)
    assert run.status == 1


def test_the_tutorials_losses_are_told_and_end_nothing(run):
    run.note("tutorial, uvicorn", {"lost": 3})
    assert (run.status, run.rows[0]["lost"]) == (0, 3)

    run.note("Usher, uvicorn", {"lost": 3})
    assert run.status == 1


def test_what_cannot_be_measured_is_told_and_the_others_go_on(run):
    class Missing(Floor):
        name = "nchan"

        def start(self, **where):
            raise Unavailable("nginx is not on this machine; expected it with nchan: apt-get install nginx-extras")

    run.shape = "thousand"
    crowd._crowd(run, [Missing(), Floor()], each=5, rounds=1, seconds=0.05)

    assert list(run.unavailable) == ["nchan"]
    assert {row["system"] for row in run.rows} == {"C floor"}
    assert run.status == 0, "a peer that is not there is no failure"


def test_without_a_compiler_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.programs.BUILT", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Unavailable) as refusal:
        compiled("load")
    assert str(refusal.value) == NO_COMPILER


def test_a_marker_and_its_payload_have_their_sizes():
    marker = marker_of(7)
    assert len(marker) == MARKER_BYTES
    assert len(payload_of(marker)) == PAYLOAD_BYTES


def test_a_clients_frame_is_masked_with_zeros():
    assert frame_of(b"hello") == b"\x81\x85\x00\x00\x00\x00hello"
    assert frame_of(b"x" * 200, is_binary=True)[:4] == b"\x82\xfe\x00\xc8"


def test_traffic_goes_to_every_group(traffic):
    with traffic(Floor()) as on_floor:
        assert isinstance(on_floor, Traffic)
        on_floor.burst(50)
        assert on_floor.client.received(0, 50) == [5] * 50
