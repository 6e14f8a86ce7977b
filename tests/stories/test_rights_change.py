"""Rights that change while somebody watches: what was taken is gone, what was given can be read, and he is told."""

import pytest

from tests.stories.sockets import Frame


async def test_a_late_grant_is_told_and_can_be_read(story):
    alice, trent = await story.sockets("alice", "trent")
    dave = await story.sign_up("dave", email="dave@acme.test")
    await alice.next_created()

    await story.grant("view_user", on=dave, role="trainee")

    changed = await trent.next_of("rights.changed")
    assert changed["permissions"] == ["watch_signups"], "his own are as they were"
    row = await story.row(dave, seen_by="trent")
    assert row is not None
    assert row["redacted"] == ["email", "phone", "address", "agent"]
    erin = await story.sign_up("erin")
    assert (await alice.next_created()).data["id"] == erin.id, "to Alice nothing has changed"


async def test_a_grant_to_one_person_is_told_to_that_person_alone(story):
    bob, bill = [await story.hire(name, role="viewer") for name in ("bob", "bill")]
    sockets = await story.sockets(bob, bill)
    dave = await story.sign_up("dave", email="dave@acme.test")
    for socket in sockets:
        await socket.next_created()

    await story.grant("view_user_contact", on=dave, user=bob.id)
    erin = await story.sign_up("erin")

    await sockets[0].next_of("rights.changed")
    assert (await story.row(dave, seen_by=bob))["email"] == "dave@acme.test"
    assert (await sockets[0].next_created()).redacted == ["email", "phone", "address", "agent"], "Dave's contact alone"
    assert (await sockets[1].next_created()).data["id"] == erin.id, "a change for Bill would have come first"
    assert "email" not in await story.row(dave, seen_by=bill)


async def test_what_was_taken_is_told_and_gone_from_the_list(story):
    bob, bill = [await story.hire(name, role=role) for name, role in (("bob", "viewer"), ("bill", "trainee"))]
    dave = await story.sign_up("dave", email="dave@acme.test")
    to_bob = await story.grant("view_user_contact", on=dave, user=bob.id)
    to_bill = await story.grant("view_user", on=dave, user=bill.id)
    sockets = await story.sockets(bob, bill)
    assert (await story.row(dave, seen_by=bob))["email"] == "dave@acme.test"
    assert await story.row(dave, seen_by=bill)

    await story.take(to_bob, on=dave)
    await story.take(to_bill, on=dave)

    for socket in sockets:
        await socket.next_of("rights.changed")
    assert "email" not in await story.row(dave, seen_by=bob), "he sees Dave, and less of him"
    assert await story.row(dave, seen_by=bill) is None
    assert (await story.call("GET", f"/users/{dave.id}", by=bill)).status_code == 404


async def test_what_was_taken_is_not_replayed(story):
    bob = await story.hire("bob", role="viewer")
    first = await story.socket(bob)
    dave, erin = await story.sign_up("dave"), await story.sign_up("erin")
    seen = await first.next_created()
    await first.next_created()
    await first.leave()

    grants = (await story.call("GET", f"/users/{erin.id}/grants", by="alice", expect=200)).json()["results"]
    viewers = next(grant for grant in grants if grant.get("role") == "viewer")
    await story.take(viewers["id"], on=erin)
    frank = await story.sign_up("frank")

    again = await story.socket(bob, after=seen.id)
    assert seen.data["id"] == dave.id
    assert ids_of(again.missed) == [frank.id], "Erin is hidden from viewers now"
    assert again.synced["complete"] is True


async def test_what_was_given_while_away_is_replayed(story):
    alice = await story.socket("alice")
    dave, erin, frank = [await story.sign_up(name) for name in ("dave", "erin", "frank")]
    of_dave = await alice.next_created()

    for person in (dave, frank):
        await story.grant("view_user", on=person, role="trainee")

    trent = await story.socket("trent", after=of_dave.id)
    assert ids_of(trent.missed) == [frank.id], f"not {erin.username}, who is hidden from him"
    assert trent.synced["complete"] is True


@pytest.mark.parametrize("changes", [{"role": None}, {"is_active": False}], ids=["member", "inactive"])
async def test_whoever_may_watch_no_longer_is_closed_out(story, changes):
    bob = await story.hire("bob", role="viewer")
    alice, socket = await story.sockets("alice", bob)

    await story.change(bob, **changes)
    dave = await story.sign_up("dave")

    end = await socket.closed()
    assert (await alice.next_created()).data["id"] == dave.id, "Bob's end came without a word of Dave"
    assert (end.code, end.reason) == (4403, "you may not watch this tenant")
    assert end.goodbye is not None
    assert (end.goodbye["code"], end.goodbye["reconnect"]) == (4403, False)
    assert (await story.refusal(token=await story.token(bob))).status == 403


async def test_whoever_loses_his_view_hears_no_more_and_stays(story):
    bob = await story.hire("bob", role="viewer")
    alice, socket = await story.sockets("alice", bob)

    await story.change(bob, role="trainee")
    changed = await socket.next_of("rights.changed")
    dave, erin = await story.sign_up("dave"), await story.sign_up_visible_to_all("erin")

    assert changed["permissions"] == ["watch_signups"], "what a trainee may do as well"
    assert (await alice.next_created()).data["id"] == dave.id
    await socket.next_of("rights.changed")
    assert await story.row(erin, seen_by=bob), "which is about Erin; anything about Dave would have come first"


async def test_a_promotion_shows_more_from_the_next_event_on(story):
    bob = await story.hire("bob", role="viewer")
    socket = await story.socket(bob)

    await story.change(bob, role="admin")
    changed = await socket.next_of("rights.changed")
    await story.sign_up("dave", email="dave@acme.test")

    assert set(changed["permissions"]) == {"watch_signups", "manage_users"}
    event = await socket.next_created()
    assert event.data["email"] == "dave@acme.test"
    assert event.redacted == ["address", "agent"]


async def test_a_suspended_tenant_closes_and_comes_back(story):
    mallory = await story.socket("mallory")
    alice = await story.socket("alice")

    await story.call("PATCH", "/platform/tenants/globex", by="olga", expect=200, is_active=False)
    try:
        end = await mallory.closed()
        refusal = await story.refusal(token=await story.token("mallory"))
        listing = await story.call("GET", "/users", by="mallory")
    finally:
        await story.call("PATCH", "/platform/tenants/globex", by="olga", expect=200, is_active=True)

    assert end.code == 4204
    assert end.goodbye is not None
    assert end.goodbye["reconnect"] is True
    assert refusal.status == listing.status_code == 503
    assert int(refusal.headers["retry-after"]) > 0
    assert int(listing.headers["retry-after"]) > 0
    assert refusal.code in ("tenant_suspended", None)
    again = await story.socket("mallory")
    assert again.ready["tenant"] == "globex"
    dave = await story.sign_up("dave")
    assert (await alice.next_created()).data["id"] == dave.id, "acme has noticed nothing"


def ids_of(frames: list[Frame]) -> list[str]:
    """Return whom these events are about."""
    return [frame.data["id"] for frame in frames]
