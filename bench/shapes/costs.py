"""What rights cost as viewers and classes grow, and what a creation pays for being told of."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.house import migrate, usher_environment
from bench.numbers import median, percentiles
from bench.publishing import Publisher
from bench.run import OTHERS, Run
from bench.shapes import Shape
from bench.systems.tutorial import Tutorial
from bench.systems.usher import PROGRAM, SAMPLE_TAKEN, SAMPLED, USER_CREATED, Usher

DELIVERIES = 40_000
WINDOW, LONGEST = 4, 20.0
BY_VIEWERS = ((10, 4), (100, 4), (1_000, 4), (10_000, 4))
BY_CLASSES = ((1_000, 1), (1_000, 16), (1_000, 64))
MEMBERS = 1_000
CREATIONS, PAUSED_CREATIONS = 100, 30
KINDS = ("bare", "saved", "service")
PAUSE = 0.35
"""
Seconds in which those who hear of a creation get their frames: the tutorial's thousand need 0.3. All on PostgreSQL have
the same, whoever hears of it, since after a pause even a bare row takes three times as long.
"""


def _rights(run: Run) -> None:
    layouts = [(min(viewers, 1_000), classes) for viewers, classes in (*BY_VIEWERS[:3], *BY_CLASSES[-1:])]
    for viewers, classes in layouts if run.is_quick else (*BY_VIEWERS, *BY_CLASSES):
        # A system for each layout, in the order in which viewers, then classes, grow.
        system = Usher(run.publishers, classes=classes, settings=SAMPLED, kind=SAMPLE_TAKEN)
        for number, chosen in run.in_turns([system], rounds=1):
            run.attempt(chosen, partial(_one_layout, run, chosen, number, viewers, classes))


def _one_layout(run: Run, system: Usher, number: int, viewers: int, classes: int) -> None:
    events = run.scaled(DELIVERIES) // viewers
    with (
        run.serving(system, groups=1, each=viewers) as folder,
        run.sockets(system, folder, groups=1, each=viewers) as traffic,
    ):
        opened = traffic.client.open(viewers)
        measured = traffic.measure(window=min(WINDOW, events), seconds=LONGEST, most=max(WINDOW, events))
        measured |= {"cpu_us_per_event": measured["cpu_us"] * viewers, "refused": opened["refused"]}
        run.note("Usher, uvicorn, lane", measured, round=number, viewers=viewers, classes=classes)


def _creations(run: Run) -> None:
    for number in range(run.rounds or (1 if run.is_quick else 2)):
        if run.wants("Usher, SQLite"):
            _on_sqlite(run, number)
        system = Usher(run.publishers, settings=SAMPLED, kind=USER_CREATED)
        tutorial = Tutorial(run.house, server="uvicorn")
        viewers = run.scaled(MEMBERS)
        if run.wants(system.name):
            run.attempt(system, partial(_on_postgresql, run, system, number, 0))
            run.attempt(system, partial(_on_postgresql, run, system, number, viewers))
        if run.wants(tutorial.name):
            run.attempt(tutorial, partial(_in_the_tutorial, run, tutorial, number, viewers))


def _note(run: Run, name: str, taken: Mapping[str, Sequence[float]], **where: Any) -> None:
    medians = {f"{kind}_ms": median(took) for kind, took in taken.items()}
    bare, told = "bare", "told" if "told" in taken else "saved"
    added = medians[f"{told}_ms"] - medians[f"{bare}_ms"]
    run.note(name, medians | {"added_ms": added, "p99_ms": percentiles(taken[told])["p99"]}, **where)


def _taken(publisher: Publisher, *, count: int, pause: float) -> dict[str, Sequence[float]]:
    """Time all kinds of creation, forwards and backwards."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for kind in (*KINDS, *reversed(KINDS)):
        taken[kind] += publisher.ask("costs", what="creations", kind=kind, count=count // 2, pause=pause)
    return dict(taken)


def _on_sqlite(run: Run, number: int) -> None:
    database = Path(run.folder) / f"creations-{number}.sqlite3"
    environment = usher_environment(f"sqlite:///{database}", settings=SAMPLED, BENCH_KIND=USER_CREATED)
    migrate(environment, core=OTHERS)
    publisher = Publisher(PROGRAM, environment, core=OTHERS)
    try:
        publisher.ask("people", groups=1, each=4, classes=4)
        taken = _taken(publisher, count=run.scaled(CREATIONS), pause=0)
        _note(run, "Usher, SQLite", taken, round=number, viewers=0)
        count = run.scaled(10_000)
        seconds = publisher.ask("costs", what="imported", count=count, first=0)
        imported = {"import_seconds": seconds, "users_per_second": count / seconds}
        run.note("Usher, SQLite, import", imported, round=number, users=count)
    finally:
        publisher.stop()


def _on_postgresql(run: Run, system: Usher, number: int, viewers: int) -> None:
    each = max(4, viewers)
    with (
        run.serving(system, groups=1, each=each) as folder,
        run.sockets(system, folder, groups=1, each=each) as traffic,
    ):
        if viewers:
            traffic.client.open(viewers)
        taken = _taken(system.publisher, count=run.scaled(PAUSED_CREATIONS), pause=PAUSE)
        _note(run, "Usher, PostgreSQL", taken, round=number, viewers=viewers)


def _in_the_tutorial(run: Run, tutorial: Tutorial, number: int, viewers: int) -> None:
    with (
        run.serving(tutorial, groups=1, each=viewers) as folder,
        run.sockets(tutorial, folder, groups=1, each=viewers) as traffic,
    ):
        traffic.client.open(viewers)
        assert tutorial.publisher is not None  # noqa: S101  it has started
        taken: dict[str, list[float]] = {"bare": [], "told": []}
        for kind in ("bare", "told", "told", "bare"):
            count, is_told = run.scaled(PAUSED_CREATIONS) // 2, kind == "told"
            taken[kind] += tutorial.publisher.ask(
                "creations", group=tutorial.group(0), is_told=is_told, count=count, pause=PAUSE
            )
        _note(run, "tutorial, PostgreSQL", taken, round=number, viewers=viewers)


SHAPES = (
    Shape(
        "creations",
        "What does a creation pay for Usher, and does it matter who listens?",
        f"Median of creations in a process on the other core, {PAUSE} s after the one before: a bare row with a user's "
        "columns; a user with grants, event and bell (User.save); the service with its checks. For the tutorial a row, "
        "and a row and group_send from sync code. On SQLite without the pause, and an import of 10,000.",
        _creations,
    ),
    Shape(
        "rights",
        "With the number of deliveries constant, what grows with viewers, and what with classes of rights?",
        f"{DELIVERIES:,} deliveries of events of the benchmark's own kind, {WINDOW} in flight: the more viewers, the "
        "fewer events.",
        _rights,
        is_quick=False,
    ),
)
