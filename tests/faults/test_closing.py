"""A socket that lost its admission is closed, whatever took it and on whichever server, Redis or no Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from accounts.permissions import OWNER
from accounts.provisioning import create_tenant
from tenants.models import SignupPolicy
from tests.accounts.house import PASSWORD, House
from tests.faults.causes import CAUSES, Cause, Victim, suspension_of_the_tenant
from tests.faults.operators import BY_COMMAND, BY_OPERATORS, PAST_THE_SERVICES, suspension_on_the_tenants_page
from tests.stories.people import CAST, Person, Story
from tests.stories.sockets import Closed, Socket

QUICK_SECONDS, SWEPT_SECONDS, SLOW_SECONDS = 1.0, 3.0, 5.0
PATIENCE_WITH_COMMANDS = 120
"""Seconds. A command is a process that is still to start."""
QUICK = CAUSES | BY_OPERATORS
CODES = QUICK | BY_COMMAND | PAST_THE_SERVICES
INITECH = "initech"
"""A tenant for the second cause that suspends one."""
Taken = list[tuple[float, str]]
"""How many seconds each closing took, and by which cause; shortest first."""


@pytest.fixture
def cast(databases):
    """A database with acme, globex and the cast in it: its URL."""
    url = databases.create("postgresql")
    with databases.using(url):
        house = House()
        initech = create_tenant(slug=INITECH, name=INITECH, signup_policy=SignupPolicy.OPEN)
        house.add("samir", tenant=initech, role=OWNER, password=PASSWORD)
    return url


async def close_once(cause: Cause, acting: Story, watching: Story, victim: Victim) -> tuple[float, AsyncIterator[str]]:
    """
    Have a socket closed; return how many seconds later, and what is still to be undone.

    They count from the answer to whoever caused it; from the commit, if a command did, which tells when that was.
    """
    code = CODES[cause]
    steps = cause(acting, victim)
    socket = await watching.raw_socket(token=await anext(steps))
    await socket.catch_up()
    socket.patience = PATIENCE_WITH_COMMANDS
    closing = asyncio.create_task(end_of(socket))
    await anext(steps)
    struck = time.monotonic() if victim.struck_at is None else victim.struck_at
    end, at = await closing
    assert end.code == code, f"{cause.__name__}: closed with {end.code} {end.reason}"
    assert end.goodbye is not None, cause.__name__
    assert end.goodbye["code"] == code, cause.__name__
    return max(0.0, at - struck), steps


async def end_of(socket: Socket) -> tuple[Closed, float]:
    """Return how a socket ends, and when. Before, it hears of those who come and go for other causes."""
    return await socket.closed(behind=("user.created", "rights.changed")), time.monotonic()


async def close_by_all(acting: Story, watching: Story, victims: dict[Cause, Victim], rounds: int) -> Taken:
    """
    Close so many sockets for each cause, all causes at the same time.

    All is undone in the end of a round: that rings bells, and what rings none is to be noticed without them.
    """
    taken: Taken = []
    for _ in range(rounds):
        closed = await asyncio.gather(*(close_once(cause, acting, watching, v) for cause, v in victims.items()))
        taken += [(seconds, cause.__name__) for (seconds, _), cause in zip(closed, victims, strict=True)]
        for _, steps in closed:
            async for _ in steps:
                pass
    return sorted(taken)


async def test_a_socket_that_lost_its_admission_is_closed(cast, scale, start_cluster, own_redis, conclude):
    cluster = start_cluster("uvicorn", "daphne", DATABASE_URL=cast, REDIS_URL=own_redis.url)
    acting, watching = (Story(node.server, {}) for node in cluster.nodes if node.server is not None)
    try:
        quick, by_command, silent = [
            {cause: Victim(await victim_of(cause, acting)) for cause in causes}
            for causes in (QUICK, BY_COMMAND, PAST_THE_SERVICES)
        ]
        few = scale.of(short=1, long=5)
        rung = await close_by_all(acting, watching, quick, scale.of(short=1, long=30))
        ordered = await close_by_all(acting, watching, by_command, few)
        swept = await close_by_all(acting, watching, silent, few)
        own_redis.kill()
        without = await close_by_all(acting, watching, quick, scale.of(short=1, long=15))
        without = sorted(without + await close_by_all(acting, watching, by_command, few))
        swept = sorted(swept + await close_by_all(acting, watching, silent, few))
    finally:
        for story in (acting, watching):
            await story.end()

    p99, _ = rung[int(len(rung) * 0.99)]
    is_quick = max(p99, ordered[-1][0]) <= QUICK_SECONDS
    is_soon = without[-1][0] <= SLOW_SECONDS and swept[-1][0] <= SWEPT_SECONDS
    conclude(
        "Closing what lost its admission",
        done=f"{len(rung)} closes by {len(quick)} causes with Redis, {len(ordered)} by command, {len(without)} with "
        f"Redis down, {len(swept)} by what is done past the services; each caused on another server than the socket's",
        bound="the code of its cause; p99 at most 1 s; by command 1 s, from its commit; at most 5 s with Redis down; "
        "past the services, which the sweep alone notices, 3 s from the commit",
        measured={"p99": f"{p99:.3f} s"}
        | measured(rung, "")
        | measured(ordered, " by command")
        | measured(without, " with Redis down")
        | measured(swept, " past the services"),
        holds=not cluster.complaints() and ((is_quick and is_soon) or not scale.is_long),
    )


def measured(taken: Taken, how: str) -> dict[str, str]:
    """Return what the report says of these."""
    seconds, cause = taken[-1]
    return {
        f"median{how}": f"{taken[len(taken) // 2][0]:.3f} s",
        f"longest{how}": f"{seconds:.3f} s ({cause.replace('_', ' ')})",
    }


async def victim_of(cause: Cause, story: Story) -> Person:
    """Return somebody whom no other cause strikes."""
    if cause is suspension_of_the_tenant:
        return CAST["mallory"]
    if cause is suspension_on_the_tenants_page:
        return Person("samir", tenant=INITECH)
    return await story.hire(cause.__name__.replace("_", "-"), role="viewer")
