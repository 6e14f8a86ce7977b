"""With the fast lane switched off nothing else is different; all other stories are told with it."""

import asyncio

import pytest

from tests.stories.servers import NAMES


@pytest.fixture(params=NAMES)
def story(request, stories_on, demo_database):
    """A story on a server that sends each frame by itself."""
    (story,) = stories_on(request.param, DATABASE_URL=demo_database("sqlite"), USHER_FAST_LANE="off")
    return story


async def test_live_resumed_after_a_change_of_rights_and_at_the_end_it_is_the_same(story):
    bob = await story.hire("bob", role="viewer")
    here, away = await story.socket(bob), await story.socket(bob)
    await story.sign_up("dave")
    cursor = (await away.next_created()).id
    await away.leave()
    await asyncio.gather(*(story.sign_up(f"erin{number}") for number in range(10)))

    live = [await here.next_created() for _ in range(11)]
    again = await story.socket(bob, after=cursor)
    assert again.missed == live[1:]
    assert again.synced["complete"] is True

    await story.change(bob, role="admin")
    assert [(await socket.next()).type for socket in (here, again)] == ["rights.changed"] * 2
    frank = await story.sign_up("frank", email="frank@acme.test")
    assert [(await socket.next_created()).data["email"] for socket in (here, again)] == ["frank@acme.test"] * 2

    await story.change(bob, role=None)
    for socket in (here, again):
        end = await socket.closed(behind=["rights.changed"])
        assert (end.code, end.goodbye["code"]) == (4403, 4403), frank
