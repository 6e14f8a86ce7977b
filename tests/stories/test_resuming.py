"""Coming back: all that was missed and may be seen, then ``synced``; or the word that it is not all."""

import pytest


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
