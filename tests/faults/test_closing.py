"""A socket that lost its admission is closed, whatever took it and on whichever server, Redis or no Redis."""

import asyncio
import time

import pytest

from tests.accounts.house import House
from tests.faults.causes import CAUSES, Cause, Victim
from tests.stories.people import CAST, Person, Story
from tests.stories.sockets import Closed, Socket

QUICK_SECONDS, SLOW_SECONDS = 1.0, 5.0

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def cast(databases):
    """A database with acme, globex and the cast in it: its URL."""
    url = databases.create("postgresql")
    with databases.using(url):
        House()
    return url


async def close_once(cause: Cause, acting: Story, watching: Story, victim: Victim) -> float:
    """Have a socket closed; return how many seconds after the answer to whoever caused it."""
    code = CAUSES[cause]
    steps = cause(acting, victim)
    socket = await watching.raw_socket(token=await anext(steps))
    await socket.catch_up()
    closing = asyncio.create_task(end_of(socket))
    await anext(steps)
    answered = time.monotonic()
    end, at = await closing
    async for _ in steps:
        pass
    assert end.code == code, f"{cause.__name__}: closed with {end.code} {end.reason}"
    assert end.goodbye is not None, cause.__name__
    assert end.goodbye["code"] == code, cause.__name__
    return max(0.0, at - answered)


async def end_of(socket: Socket) -> tuple[Closed, float]:
    """Return how a socket ends, and when."""
    return await socket.closed(), time.monotonic()


async def close_by_all(acting: Story, watching: Story, victims: dict[Cause, Victim], rounds: int) -> list[float]:
    """Close so many sockets for each cause, all causes at the same time; return how long each took, shortest first."""
    taken: list[float] = []
    for _ in range(rounds):
        taken += await asyncio.gather(*(close_once(cause, acting, watching, victims[cause]) for cause in CAUSES))
    return sorted(taken)


async def test_a_socket_that_lost_its_admission_is_closed(cast, scale, start_cluster, own_redis, conclude):
    cluster = start_cluster("uvicorn", "daphne", DATABASE_URL=cast, REDIS_URL=own_redis.url)
    acting, watching = (Story(node.server, {}) for node in cluster.nodes if node.server is not None)
    rounds = scale.of(short=2, long=30)
    try:
        victims = {cause: Victim(await victim_of(cause, acting)) for cause in CAUSES}
        with_redis = await close_by_all(acting, watching, victims, rounds)
        own_redis.kill()
        without = await close_by_all(acting, watching, victims, scale.of(short=1, long=15))
    finally:
        for story in (acting, watching):
            await story.end()

    p99 = with_redis[int(len(with_redis) * 0.99)]
    is_quick = p99 <= QUICK_SECONDS and without[-1] <= SLOW_SECONDS
    conclude(
        "Closing what lost its admission",
        done=f"{len(with_redis)} closes by {len(CAUSES)} causes with Redis and {len(without)} with Redis down, each "
        "caused on another server than the socket's",
        bound="the code of its cause; p99 at most 1 s, and at most 5 s with Redis down",
        measured={
            "median": f"{with_redis[len(with_redis) // 2]:.3f} s",
            "p99": f"{p99:.3f} s",
            "longest": f"{with_redis[-1]:.3f} s",
            "median with Redis down": f"{without[len(without) // 2]:.3f} s",
            "longest with Redis down": f"{without[-1]:.3f} s",
        },
        holds=not cluster.complaints() and (is_quick or not scale.is_long),
    )


async def victim_of(cause: Cause, story: Story) -> Person:
    """Return somebody whom no other cause strikes."""
    if cause.__name__ == "suspension_of_the_tenant":
        return CAST["mallory"]
    return await story.hire(cause.__name__.replace("_", "-"), role="viewer")
