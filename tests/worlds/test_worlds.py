"""
Hidden means hidden: two worlds that differ only in users whom a viewer may not see tell him the same, byte for byte.

One exception is documented: whoever tries to create a name that is taken is told so.
"""

import asyncio
from collections.abc import Callable, Collection

import pytest

from tests.databases import Databases
from tests.services.redis import RedisServer
from tests.stories.servers import TYPICAL, Combination, Server
from tests.worlds.leaks import LEAKS
from tests.worlds.normal import normalised
from tests.worlds.script import SCRIPT
from tests.worlds.surfaces import EVERYWHERE, SURFACES, Place, told_at
from tests.worlds.world import VIEWERS, World, build

pytestmark = pytest.mark.timeout(600)

Transcripts = dict[Place, list[str]]
Tell = Callable[..., Transcripts]


@pytest.fixture(scope="module")
def tell(databases: Databases, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Tell:
    """Have a world come to pass: ``tell(combination, has_hidden=True)`` returns what each viewer is told where."""
    folder = tmp_path_factory.mktemp("worlds")

    def tell(
        combination: Combination,
        places: Collection[Place] = EVERYWHERE,
        *,
        has_hidden: bool,
        seen: bool = False,
        **variables: str,
    ) -> Transcripts:
        with databases.fresh(combination.vendor) as database:
            house = build()
            variables = {
                "DATABASE_URL": database.url,
                # What is done to the database rings no bell at the server, which must notice soon all the same.
                "USHER_SWEEP_SECONDS": "0.2",
                "USHER_HEARTBEAT_SECONDS": "0.3",
                "USHER_PONG_SECONDS": "60",
                "USHER_ACCESS_SECONDS": "3600",
                **({"REDIS_URL": redis.url} if combination.layer != "memory" else {}),
                **variables,
            }
            with Server(combination.name, folder=folder, variables=variables) as server:
                world = World(server, house, has_hidden=has_hidden, seen_all_the_same=seen)
                return asyncio.run(_told_in(world, places))

    return tell


async def _told_in(world: World, places: Collection[Place]) -> Transcripts:
    try:
        await world.begin()
        await world.play(*SCRIPT)
        told = await told_at(world, places)
    finally:
        await world.end()
    return {place: normalised(transcript) for place, transcript in told.items()}


@pytest.fixture(scope="module")
def without(tell: Tell) -> Callable[[Combination], Transcripts]:
    """What everybody is told in a world without hidden people, on each combination: ``without(combination)``."""
    told: dict[Combination, Transcripts] = {}

    def without(combination: Combination) -> Transcripts:
        if combination not in told:
            told[combination] = tell(combination, has_hidden=False)
        return told[combination]

    return without


@pytest.fixture(scope="module", params=TYPICAL, ids=str)
def worlds(
    request: pytest.FixtureRequest, tell: Tell, without: Callable[[Combination], Transcripts]
) -> tuple[Transcripts, Transcripts]:
    """What everybody is told in a world with hidden people, and in one without."""
    return tell(request.param, has_hidden=True), without(request.param)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_world_with_hidden_people_tells_a_viewer_what_one_without_tells(worlds, viewer):
    with_hidden, without = worlds
    for surface in SURFACES:
        assert with_hidden[viewer, surface] == without[viewer, surface], surface


EASIEST = TYPICAL[0]


def test_a_world_whose_people_are_not_hidden_does_not_pass(tell, without):
    places = [("bob", "live"), ("victor", "listing"), ("peggy", "searching"), ("bob", "resuming"), ("bob", "rows")]

    told, unlike = without(EASIEST), tell(EASIEST, places, has_hidden=True, seen=True)

    assert [place for place in places if unlike[place] == told[place]] == []


def test_a_leak_does_not_pass(tell, without):
    told = without(EASIEST)

    leaking = tell(EASIEST, LEAKS, has_hidden=True, DJANGO_SETTINGS_MODULE="tests.worlds.leaking")

    assert [place for place in LEAKS if leaking[place] == told[place]] == []
