"""Coming back: all that was missed and may be seen, then ``synced``; or the word that it is not all."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid1, uuid4

import pytest

from accounts.models import User
from realtime.identity import new_id
from realtime.models import Event
from tests.aging import id_of
from tests.stories.sockets import PATIENCE


async def test_what_was_missed_comes_before_synced_and_in_order(story):
    first = await story.socket("bob")
    await story.sign_up("dave")
    last_seen = await first.next_created()
    await first.leave()
    missed = [(await story.sign_up(name)).id for name in ("erin", "frank", "grace")]

    again = await story.socket("bob", after=last_seen.id)
    heidi = await story.sign_up("heidi")

    assert [frame.data["id"] for frame in again.missed] == missed
    assert again.synced["complete"] is True
    assert (await again.next_created()).data["id"] == heidi.id, "nothing twice"


async def test_a_replayed_event_is_the_one_that_was_sent_live(story):
    alice, bob = await story.sockets("alice", "bob")
    await story.sign_up("dave")
    cursor = (await alice.next_created()).id
    await bob.next_created()
    await story.sign_up("erin", email="erin@acme.test")

    live = {"alice": await alice.next_created(), "bob": await bob.next_created()}

    for who, frame in live.items():
        again = await story.socket(who, after=cursor)
        assert again.missed == [frame], who


async def test_whoever_has_seen_it_all_misses_nothing(story):
    first = await story.socket("bob")
    await story.sign_up("dave")
    cursor = (await first.next_created()).id

    again = await story.socket("bob", after=cursor)

    assert again.missed == []
    assert again.synced["complete"] is True


async def test_without_a_cursor_nothing_is_replayed(story):
    await story.sign_up("dave")

    bob = await story.socket("bob")

    assert bob.missed == []
    assert bob.synced["complete"] is True


@pytest.mark.parametrize("cursor", ["0190163d-8694-739b-aea5-966c26f8ad90", "17", "", "%00", "x" * 200])
async def test_an_unknown_cursor_is_answered_with_incomplete(story, cursor):
    bob = await story.socket("bob", after=cursor)
    dave = await story.sign_up("dave")

    assert bob.missed == []
    assert (bob.synced["complete"], bob.synced["reason"]) == (False, "unknown_cursor")
    assert (await bob.next_created()).data["id"] == dave.id, "and goes on from there"


async def test_somebody_elses_event_is_no_cursor(story):
    alice, mallory = await story.sockets("alice", "mallory")
    await story.sign_up("dave")
    await story.sign_up("niaj", tenant="globex")
    of_acme, of_globex = await alice.next_created(), await mallory.next_created()

    for who, cursor in (("alice", of_globex), ("mallory", of_acme), ("trent", of_acme)):
        socket = await story.socket(who, after=cursor.id)
        assert (socket.missed, socket.synced["complete"]) == ([], False), who
        assert socket.synced["reason"] == "unknown_cursor", "the same words as for what never was"


GARBAGE = [
    "",
    "0",
    "-1",
    "latest",
    "null",
    "undefined",
    "true",
    "%00",
    "%ff%fe",
    "%F0%9F%94%94",
    "%25",
    "+",
    "1%20OR%201=1",
    "..%2f..%2f",
    "%7B%7D",
    "x" * 3000,
    str(UUID(int=0)),
    str(UUID(int=2**128 - 1)),
    str(uuid1()),
    str(uuid4()),
]


async def test_every_cursor_that_is_no_good_is_answered_with_the_same_bytes(story, databases):
    bob = await story.hire("bob", role="viewer")
    alice, mallory = await story.sockets("alice", "mallory")
    events = {}
    for name in ("hidden", "erased", "aged", "advanced", "good"):
        person = await story.sign_up(name)
        events[name] = person, (await alice.next_created()).id
    await story.sign_up("niaj", tenant="globex")
    foreign = (await mallory.next_created()).id
    await story.hide(events["hidden"][0], role="viewer")
    await asyncio.to_thread(erase, databases, story, events["erased"][0])
    now = datetime.now(UTC)
    moved = {"aged": id_of(now - timedelta(days=7, minutes=5)), "advanced": id_of(now + timedelta(minutes=10))}
    for name, identity in moved.items():
        await asyncio.to_thread(change_id, databases, story, events[name][0], identity)
    good, known = events["good"]
    cursors = {
        "hidden": events["hidden"][1],
        "erased": events["erased"][1],
        "too old, and there": str(moved["aged"]),
        "to come, and there": str(moved["advanced"]),
        "to come": str(id_of(now + timedelta(days=1))),
        "pruned": str(id_of(now - timedelta(days=9))),
        "never was": str(new_id()),
        "of another tenant": foreign,
        "a user's id": good.id,
        "in capitals": known.upper(),
        "without hyphens": known.replace("-", ""),
        "in braces": quote(f"{{{known}}}"),
        "a URN": quote(f"urn:uuid:{known}"),
        "with a space": f"{known}%20",
        **{text[:40]: text for text in GARBAGE},
    }
    token = await story.token(bob)

    sockets = {what: await story.raw_socket(token=token, query=f"?after={cursors[what]}") for what in cursors}
    beginnings = {what: [await next_text(socket) for _ in range(2)] for what, socket in sockets.items()}
    dave = await story.sign_up("dave")
    transcripts = {what: [*beginnings[what], await next_text(socket)] for what, socket in sockets.items()}

    first = transcripts["never was"]
    assert first[1] == '{"type":"synced","complete":false,"reason":"unknown_cursor"}'
    assert dave.id in first[2]
    assert {what: said for what, said in transcripts.items() if said != first} == {}
    resumed = await story.socket(bob, after=known)
    assert resumed.synced["complete"] is True, "and one that is good is not"
    assert [frame.data["id"] for frame in resumed.missed] == [dave.id]


def erase(databases, story, person):
    """Delete somebody, and all that the log says about him."""
    with databases.using(story.server.variables["DATABASE_URL"]):
        User.objects.get(pk=person.id).delete()


def change_id(databases, story, person, identity):
    """Give the event of somebody's creation another id, and so another time."""
    with databases.using(story.server.variables["DATABASE_URL"]):
        assert Event.objects.filter(subject_id=person.id).update(id=identity) == 1


async def next_text(socket):
    """Return the next frame as it came, past the heartbeat."""
    async with asyncio.timeout(PATIENCE):
        while True:
            text = await socket._connection.recv()
            if '"type":"ping"' not in text:
                return text
            await socket.say(type="pong")
