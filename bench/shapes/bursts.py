"""Much at once: a burst of events, an import."""

from functools import partial

from bench.run import Run
from bench.shapes import Shape
from bench.shapes.systems import some
from bench.systems import System
from bench.systems.usher import Usher

TUTORIALS_PATIENCE = 5.0
IMPORTED = 10_000


def _burst(run: Run) -> None:
    each, events = 100, run.scaled(500)
    for number, system in run.in_turns(some(run), rounds=1):
        run.attempt(system, partial(_one_burst, run, system, number, each, events))


def _one_burst(run: Run, system: System, number: int, each: int, events: int) -> None:
    with (
        run.serving(system, groups=1, each=each) as folder,
        run.sockets(system, folder, groups=1, each=each, patience=TUTORIALS_PATIENCE) as traffic,
    ):
        opened = traffic.client.open(each)
        traffic.burst(1)
        measured = traffic.counted(lambda: traffic.burst(events))
        run.note(system.name, measured | {"refused": opened["refused"]}, round=number, each=each)


def _import(run: Run) -> None:
    for number, system in run.in_turns([Usher(run.publishers)], rounds=1):
        run.attempt(system, partial(_one_import, run, system, number))


def _one_import(run: Run, system: Usher, number: int) -> None:
    each, count = 100, run.scaled(IMPORTED)
    seconds = 0.0
    with (
        run.serving(system, groups=1, each=each) as folder,
        run.sockets(system, folder, groups=1, each=each) as traffic,
    ):
        opened = traffic.client.open(each)

        def bring_in() -> None:
            nonlocal seconds
            first = traffic.published
            traffic.published += count
            seconds = system.publisher.ask("costs", what="imported", count=count, first=first)
            traffic.finish(set(range(first, first + count)))

        measured = traffic.counted(bring_in)
        more = {"refused": opened["refused"], "import_seconds": seconds, "users_per_second": count / seconds}
        run.note(system.name, measured | more, round=number, each=each)


SHAPES = (
    Shape(
        "burst",
        "500 events at once for 100 viewers: how many arrive, and what does each cost?",
        "All 500 are published in one call (Usher: one transaction). Done when all have arrived, or none has for 5 s.",
        _burst,
    ),
    Shape(
        "import",
        "10,000 users in one call of the service, with 100 viewers who see each of them: how long, and do all arrive?",
        "accounts.users.import_users: transactions of 500, with its pause of 0.1 s between them; PostgreSQL.",
        _import,
    ),
)
