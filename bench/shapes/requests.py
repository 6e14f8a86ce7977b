"""Through REST: how many creations a second, how soon their frames come, how long pages of a long list take."""

import http.client
import itertools
import time
from collections.abc import Callable
from functools import partial

from bench.loop import Traffic, marker_of
from bench.numbers import percentiles
from bench.posting import Request, ask, post
from bench.run import Run
from bench.shapes import Shape
from bench.shapes.systems import principal
from bench.systems.tutorial import Tutorial
from bench.systems.usher import Usher

LISTENERS = 200
THREADS, MANY_THREADS = 4, 32
RATE = 20.0
LISTED, ASKED = 100_000, 20


def _requests(system: Usher | Tutorial, traffic: Traffic, made: set[int]) -> Callable[[], Request]:
    numbers = itertools.count(traffic.published)

    def next_request() -> Request:
        number = next(numbers)
        made.add(number)
        return system.request_of(marker_of(number))

    return next_request


def _posted(
    run: Run, system: Usher | Tutorial, number: int, *, each: int, threads: int, seconds: float, rate: float | None
) -> None:
    with (
        run.serving(system, groups=1, each=max(1, each)) as folder,
        run.sockets(system, folder, groups=1, each=max(1, each)) as traffic,
    ):
        traffic.each = each
        opened = traffic.client.open(each) if each else {"refused": 0}
        post(system.port, _requests(system, traffic, set()), threads=1, seconds=0.5, rate=None)
        traffic.published = 1_000_000  # the warm-up's are not looked at
        made: set[int] = set()
        answers = {}

        def work() -> None:
            nonlocal answers
            answers = post(system.port, _requests(system, traffic, made), threads=threads, seconds=seconds, rate=rate)
            traffic.published += len(made)
            if each:
                traffic.finish(set(made))

        measured = traffic.counted(work)
        answers["cpu_us_per_request"] = measured["cpu_us_with_idle"] * max(1, measured["deliveries"]) / len(made)
        run.note(system.name, measured | answers | {"refused": opened["refused"]}, round=number, each=each)


def _posts(run: Run) -> None:
    for number, system in run.in_turns(principal(run), rounds=1):
        for each in (0, LISTENERS):
            measure = partial(_posted, each=each, threads=THREADS, seconds=run.seconds(4), rate=None)
            run.attempt(system, partial(measure, run, system, number))


def _latency(run: Run) -> None:
    for number, system in run.in_turns(principal(run), rounds=2):
        measure = partial(_posted, each=LISTENERS, threads=MANY_THREADS, seconds=run.seconds(8), rate=RATE)
        run.attempt(system, partial(measure, run, system, number))


def _lists(run: Run) -> None:
    for number, system in run.in_turns([Usher(run.publishers)], rounds=1):
        run.attempt(system, partial(_one_list, run, system, number))


def _one_list(run: Run, system: Usher, number: int) -> None:
    count = run.scaled(LISTED)
    with run.serving(system, groups=1, each=4):
        tokens = system.publisher.ask("people", groups=1, each=4, classes=4, purpose="lists")
        system.publisher.ask("costs", what="filled", count=count)
        middle = system.publisher.ask("user_at", group=0, share=0.5)
        pages = {"first": "", "middle": f"&before={middle}", "search": "&q=listed0000", "search, nothing": "&q=nobody"}
        connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=60)
        for viewer, token in (("owner", tokens[0]), ("viewer", tokens[2])):
            for page, query in pages.items():
                request = Request(f"/api/v1/users?limit=50{query}", {"Authorization": f"Bearer {token}"})
                took = []
                for _ in range(ASKED if not run.is_quick else 10):
                    began = time.monotonic()
                    ask(connection, request)
                    took.append((time.monotonic() - began) * 1000)
                where = {"round": number, "users": count, "viewer": viewer, "page": page}
                run.note(system.name, {"ms": percentiles(took)}, **where)
        connection.close()


SHAPES = (
    Shape(
        "latency",
        "From a POST to the frame, with 200 viewers and 20 creations a second: how late are the sockets told?",
        "POSTs begin every 50 ms whether those before were answered or not; from before the POST to each socket.",
        _latency,
    ),
    Shape(
        "posts",
        "How many creations a second does one process take, with nobody listening and with 200 viewers?",
        f"{THREADS} connections post one after the other; the server, its delivering included, has one core.",
        _posts,
        is_quick=False,
    ),
    Shape(
        "lists",
        "How long do pages of a list take that is 100,000 users long?",
        "50 rows a page, as the owner who sees all and as a viewer; one request after the other.",
        _lists,
        is_quick=False,
    ),
)
