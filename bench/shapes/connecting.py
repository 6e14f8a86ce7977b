"""Connecting: many who stay idle, all at once, all at once with something to catch up."""

import time
from functools import partial
from typing import Any

from bench.processes import CpuUsed, memory_bytes, with_children
from bench.run import Run
from bench.shapes import Shape
from bench.shapes.systems import peers, principal
from bench.systems import Opening, System
from bench.systems.usher import Usher

FIRST = 100
SETTLING_SECONDS, IDLE_SECONDS = 2.0, 5.0


def _idle(run: Run) -> None:
    each = 1_000 if run.is_quick else 10_000
    for number, system in run.in_turns([*principal(run), *peers(run)], rounds=1):
        run.attempt(system, partial(_one_idle, run, system, number, each))


def _one_idle(run: Run, system: System, number: int, each: int) -> None:
    with (
        run.serving(system, groups=1, each=each) as folder,
        run.sockets(system, folder, groups=1, each=each) as traffic,
    ):
        # What the first ones have loaded is not the others'.
        traffic.client.open(FIRST)
        pids = with_children(system.pids)
        before = memory_bytes(pids)
        opened = traffic.client.open(each - FIRST)
        memory = (memory_bytes(pids) - before) / (each - FIRST)
        traffic.client.mark()
        time.sleep(run.seconds(SETTLING_SECONDS))
        used = CpuUsed(pids)
        time.sleep(run.seconds(IDLE_SECONDS))
        measured = {
            "kilobytes": memory / 1024,
            "connects_per_second": opened["open"] / opened["seconds"],
            "idle_cpu_percent": used.seconds / run.seconds(IDLE_SECONDS) * 100,
            "refused": opened["refused"],
            "closed": traffic.client.report()["closed"],
            "listening_ms": opened["listening_ms"],
        }
        run.note(system.name, measured, round=number, each=each)


def _storm(run: Run) -> None:
    each = run.scaled(2000)
    for number, system in run.in_turns([*principal(run), *peers(run)], rounds=2):
        run.attempt(system, partial(_one_storm, run, system, number, each))


def _one_storm(run: Run, system: System, number: int, each: int) -> None:
    with run.serving(system, groups=1, each=each) as folder:
        with run.sockets(system, folder, groups=1, each=each) as before:
            before.client.open(each)
        used = CpuUsed(with_children(system.pids))
        with run.sockets(system, folder, groups=1, each=each) as traffic:
            opened = traffic.client.open(each, at_once=each)
        measured = {
            "open": opened["open"],
            "refused": opened["refused"],
            "statuses": opened["statuses"],
            "seconds": opened["seconds"],
            "accepted_per_second": opened["open"] / opened["seconds"],
            "shaken_ms": opened["shaken_ms"],
            "listening_ms": opened["listening_ms"],
            "cpu_us_per_socket": used.seconds * 1e6 / each,
        }
        run.note(system.name, measured, round=number, each=each)


class _Resuming(Usher):
    """Usher, whose viewers have all seen up to the same event."""

    after = ""

    def opening(self, group: int, number: int) -> Opening:
        opening = super().opening(group, number)
        query = f"?after={self.after}" if self.after else ""
        return Opening(opening.path + query, headers=opening.headers, ready=opening.ready, pong=opening.pong)


def _resume(run: Run) -> None:
    systems = [_Resuming(run.publishers, server=server) for server in ("uvicorn", "daphne")]
    for number, system in run.in_turns(systems, rounds=2):
        run.attempt(system, partial(_one_resume, run, system, number))


def _one_resume(run: Run, system: _Resuming, number: int) -> None:
    each, events = run.scaled(1000), 100
    system.after = ""
    with run.serving(system, groups=1, each=each) as folder:
        with run.sockets(system, folder, groups=1, each=each) as before:
            before.client.open(each)
            before.finish(set(before.publish(1)))
            system.after = system.publisher.ask("last_event", group=0)
        with run.sockets(system, folder, groups=1, each=each) as traffic:
            traffic.publish(events)
            system.publisher.ask("last_event", group=0)  # answered once they are in the log
            began, seconds = time.monotonic(), 0.0
            opened: dict[str, Any] = {}

            def come_back() -> None:
                nonlocal opened, seconds
                opened = traffic.client.open(each, at_once=each)
                seconds = time.monotonic() - began

            measured = traffic.counted(come_back, first=0)
        more = {"seconds": seconds, "refused": opened["refused"], "listening_ms": opened["listening_ms"]}
        run.note(system.name, measured | more, round=number, each=each)


STORM_METHOD = (
    "The sockets are opened once, 32 handshakes at a time, all dropped, and opened again all at once, each with its "
    "token. A socket counts from its connect() until it listens (Usher: until it is told synced; the tutorial: until "
    "it has joined its group; peers, which look nobody up: until the handshake or the subscription is answered)."
)
SHAPES = (
    Shape(
        "storm",
        "2,000 clients come back at the same moment: who is refused, and how long do they wait?",
        STORM_METHOD,
        _storm,
    ),
    Shape(
        "resume",
        "1,000 clients come back at the same moment and have each missed the same 100 events: when have they all?",
        "As the storm, each with the cursor of the last event before the 100. Until the last is told synced, which is "
        "said behind what was missed.",
        _resume,
    ),
    Shape(
        "idle",
        "What does an idle connection cost in memory, how fast are 10,000 let in, and what do they cost then?",
        "Memory is the process's own (Pss), between 100 and 10,000 sockets; 32 handshakes at a time.",
        _idle,
    ),
)
