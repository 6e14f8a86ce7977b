"""One tenant with many viewers, and many tenants with few: the closed loop."""

from collections.abc import Sequence
from functools import partial

from bench.run import Run
from bench.shapes import Shape
from bench.shapes.systems import alike, everybody, floor_and_usher, peers, some, tutorials, under_uvicorn
from bench.systems import System

SEVERAL = 8
BUSY_WHEN_IDLE = ("Usher", "tutorial")
"""How the names begin of systems that do something with nothing to send."""
IDLE_OF_MANY = 5.0
"""Seconds in which such a server of many tenants is watched while idle: Usher joins their groups anew every 10 s."""
SETTLING = 5.0
"""
Seconds before that: for four after 1,000 tenants have come Usher uses three times what it does later, and whatever came
is put into huge pages within some three seconds.
"""
TENANTS_SECONDS, TENANTS_SECONDS_OF_OTHERS = 8.0, 3.0
"""For as long those systems are measured with many tenants, since what they do then falls into it; and the others."""
MORE_ROUNDS = 4
"""
For systems that a measure compares and whose costs are near what it asks for: two rounds of one of them differ by more
while the machine's neighbours are busy. They come apart from the others, close to each other.
"""
SLOW = 2000
"""From so many sockets on the tutorial gets one event at a time: eight would keep it busy for half a minute."""


def _crowd(run: Run, systems: Sequence[System], *, each: int, rounds: int, seconds: float) -> None:
    for number, system in run.in_turns(systems, rounds=rounds):
        windows = (1,) if system.name.startswith("tutorial") and each > SLOW else (1, SEVERAL)
        run.attempt(system, partial(_one, run, system, number, groups=1, each=each, windows=windows, seconds=seconds))


def _one(
    run: Run, system: System, number: int, *, groups: int, each: int, windows: Sequence[int], seconds: float
) -> None:
    with (
        run.serving(system, groups=groups, each=each) as folder,
        run.sockets(system, folder, groups=groups, each=each) as traffic,
    ):
        opened = traffic.client.open(groups * each)
        if system.name.startswith(BUSY_WHEN_IDLE):
            traffic.settling_seconds = run.seconds(SETTLING)
            traffic.idle_seconds = run.seconds(IDLE_OF_MANY if groups > 1 else traffic.idle_seconds)
        for window in windows:
            measured = traffic.measure(window=window, seconds=run.seconds(seconds))
            run.note(system.name, measured | {"refused": opened["refused"]}, round=number, groups=groups, each=each)


def _hundred(run: Run) -> None:
    _crowd(run, some(run), each=run.scaled(100), rounds=1, seconds=2)


def _thousand(run: Run) -> None:
    _crowd(run, everybody(run), each=run.scaled(1000), rounds=2, seconds=2)
    if _is_whole(run):
        _crowd(run, alike(run), each=run.scaled(1000), rounds=MORE_ROUNDS, seconds=3)


def _five_thousand(run: Run) -> None:
    _crowd(run, some(run), each=run.scaled(5000), rounds=1, seconds=3)


def _tenants(run: Run) -> None:
    groups, window = run.scaled(1000), 64
    # Frames that leave joined are of one tenant: with so many of them that makes no difference.
    ours = [system for system in floor_and_usher(run) if "not joined" not in system.name]
    turns = list(run.in_turns([*ours, *tutorials(run), *peers(run)], rounds=2))
    if _is_whole(run):
        turns += run.in_turns(under_uvicorn(run), rounds=MORE_ROUNDS)
    for number, system in turns:
        seconds = TENANTS_SECONDS if system.name.startswith(BUSY_WHEN_IDLE) else TENANTS_SECONDS_OF_OTHERS
        measure = partial(_one, run, system, number, groups=groups, each=5, windows=(window,), seconds=seconds)
        run.attempt(system, measure)


def _is_whole(run: Run) -> bool:
    """Tell whether the rounds are those that the measures are judged by."""
    return not (run.is_quick or run.profiles or run.rounds)


METHOD = (
    "Closed loop: so many events (W) are in flight, and the next is published when all sockets of a tenant have got "
    "one. Warmed up, then measured for some seconds. Latency is from the marker in the payload, set before publishing, "
    "to the socket."
)
MORE = "Systems that a measure compares, and that are near what it asks for, have four more rounds among themselves."
METHOD_OF_TENANTS = (
    f"{METHOD} {MORE} Usher and the tutorial for {TENANTS_SECONDS:g} seconds, since some of what they do comes every "
    f"few seconds; the others for {TENANTS_SECONDS_OF_OTHERS:g}. Peers parse an HTTP request for each event, so for "
    "every five deliveries, where Usher and the tutorial read Redis."
)
SHAPES = (
    Shape(
        "thousand",
        "What does a delivery cost the server, and how late is it, with 1,000 viewers in one tenant?",
        f"{METHOD} {MORE}",
        _thousand,
    ),
    Shape("tenants", "And with 1,000 tenants of 5 viewers, 64 events in flight?", METHOD_OF_TENANTS, _tenants),
    Shape("hundred", "And with 100 viewers?", METHOD, _hundred, is_quick=False),
    Shape("five-thousand", "And with 5,000?", METHOD, _five_thousand, is_quick=False),
)
