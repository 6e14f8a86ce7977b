"""Several processes on one database: what happens on one is heard on the others, by the channel layer's part alone."""

import signal
import time

import pytest

from tests.services.redis import RedisServer
from tests.stories.servers import NAMES

SLOWEST_SWEEP = "60"
"""Seconds: four times what a story waits, so that whatever arrives was announced by the layer."""


@pytest.fixture
def own_redis():
    """A Redis that the test may break."""
    server = RedisServer()
    yield server
    server.stop()


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_what_happens_on_one_server_is_heard_at_once_on_the_other(stories_on, demo_database, redis, layer):
    one, other = stories_on(
        "daphne",
        "uvicorn",
        DATABASE_URL=demo_database("postgresql"),
        REDIS_URL=redis.url,
        USHER_CHANNEL_LAYER=layer,
        USHER_SWEEP_SECONDS=SLOWEST_SWEEP,
    )
    bob = await one.hire("bob", role="viewer")
    on_one, on_other = await one.socket(bob), await other.socket(bob)

    dave = await one.sign_up("dave")
    assert (await on_other.next_created()).data["id"] == dave.id
    erin = await other.sign_up("erin")
    assert [(await on_one.next_created()).data["id"] for _ in range(2)] == [dave.id, erin.id]
    assert (await on_other.next_created()).data["id"] == erin.id

    await one.change(bob, role=None)
    assert (await on_other.closed()).code == (await on_one.closed()).code == 4403


async def test_whoever_comes_back_to_another_server_has_missed_nothing(stories_on, demo_database, redis):
    one, other = stories_on("uvicorn", "daphne", DATABASE_URL=demo_database("postgresql"), REDIS_URL=redis.url)
    on_one = await one.socket("bob")
    await one.sign_up("dave")
    cursor = (await on_one.next_created()).id
    assert one.server.stop() == 0
    erin, frank = await other.sign_up("erin"), await other.sign_up("frank")

    again = await other.socket("bob", after=cursor)

    assert (await on_one.closed()).code == 4000
    assert [frame.data["id"] for frame in again.missed] == [erin.id, frank.id]


@pytest.mark.parametrize("name", NAMES)
async def test_whoever_has_shown_no_token_yet_is_told_to_come_back_too(stories_on, demo_database, name):
    (story,) = stories_on(name, DATABASE_URL=demo_database("sqlite"))
    outside = await story.raw_socket()

    story.server.process.send(signal.SIGTERM)

    end = await outside.closed()
    assert end.code == end.goodbye["code"] == 4000
    assert 0 <= end.goodbye["retry_after_ms"] <= 5000


@pytest.mark.parametrize("name", NAMES)
def test_a_server_that_is_told_to_go_again_and_again_ends_well(start, demo_database, name):
    server = start(name, DATABASE_URL=demo_database("sqlite"))

    while server.process.is_running:
        server.process.send(signal.SIGTERM)
        time.sleep(0.001)

    assert server.process.wait() == 0


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_without_redis_only_time_is_lost(stories_on, demo_database, own_redis, layer):
    (story,) = stories_on(
        "daphne", DATABASE_URL=demo_database("postgresql"), REDIS_URL=own_redis.url, USHER_CHANNEL_LAYER=layer
    )
    story.server.expected_to_complain = ("channels_redis",)
    alice, bob = await story.sockets("alice", "bob")
    own_redis.kill()

    dave = await story.sign_up("dave")
    late = await story.socket("alice")
    erin = await story.sign_up("erin")

    for socket in (alice, bob):
        assert [(await socket.next_created()).data["id"] for _ in range(2)] == [dave.id, erin.id]
    assert (await late.next_created()).data["id"] == erin.id
    own_redis.start()
    frank = await story.sign_up("frank")
    assert (await alice.next_created()).data["id"] == frank.id
