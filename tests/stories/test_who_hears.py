"""Sign-up to socket: who hears of it, and what each sees, on every combination of database, layer and server."""

import pytest

PUBLIC = ["id", "username", "full_name", "joined_via", "joined_at"]
CONTACT = ["email", "phone"]
ORIGIN = ["address", "agent"]
EVERYTHING = [*PUBLIC, *CONTACT, *ORIGIN]
# Staff: the fields that they see of whoever signs up. Peggy is an admin, hired for the purpose.
SEES = {"alice": EVERYTHING, "peggy": [*PUBLIC, *CONTACT], "bob": PUBLIC}
MANAGERS_SEE_BESIDES = {"is_active", "role"}


async def test_bob_hears_of_dave_without_his_email(story):
    alice, bob, trent = await story.sockets("alice", "bob", "trent")

    dave = await story.sign_up("dave", email="dave@acme.test")
    erin = await story.sign_up_visible_to_all("erin")

    heard = await alice.next_created()
    assert heard.data["email"] == "dave@acme.test", "Alice proves that the event was sent"
    heard = await bob.next_created()
    assert heard.data["id"] == dave.id
    assert heard.redacted == ["email", "phone", "address", "agent"]
    assert "dave@acme.test" not in str(heard.content)
    assert (await trent.next()).type == "rights.changed", "anything about Dave would have come first"
    assert await story.row(erin, seen_by="trent"), "which is about Erin"
    assert await story.row(dave, seen_by="trent") is None


async def test_an_event_has_the_form_that_the_protocol_gives_it(story):
    alice = await story.socket("alice")

    dave = await story.sign_up("dave", full_name="Dave Doe", phone="+44 20 7946 0000")

    event = (await alice.next_created()).content
    assert list(event) == ["type", "id", "tenant", "at", "message", "data", "redacted"]
    assert event["tenant"] == "acme", "the slug, never the number"
    assert event["message"] == f"New user created: {dave.username}"
    assert event["at"].endswith("Z")
    assert event["redacted"] == []
    assert list(event["data"]) == EVERYTHING
    assert event["data"]["email"] is None, "visible but empty"
    assert event["data"]["joined_via"] == "signup"
    assert event["data"]["address"] == "127.0.0.1"
    assert event["data"]["agent"].startswith("python-httpx/")


async def test_socket_list_and_detail_show_each_viewer_the_same(story):
    people = {"alice": "alice", "bob": "bob", "peggy": await story.hire("peggy", role="admin")}
    sockets = {name: await story.socket(who) for name, who in people.items()}

    dave = await story.sign_up("dave", email="dave@acme.test", full_name="Dave Doe", phone="+44 20 7946 0000")

    for name, who in people.items():
        event = await sockets[name].next_created()
        assert list(event.data) == SEES[name], name
        assert event.redacted == [field for field in EVERYTHING if field not in SEES[name]], name
        detail = (await story.call("GET", f"/users/{dave.id}", by=who, expect=200)).json()
        assert detail == await story.row(dave, seen_by=who), name
        is_manager = MANAGERS_SEE_BESIDES & set(detail)
        assert is_manager == (set() if name == "bob" else MANAGERS_SEE_BESIDES)
        own = {key: value for key, value in detail.items() if key not in MANAGERS_SEE_BESIDES}
        assert own == {**event.data, "redacted": event.redacted}, name


async def test_a_user_whom_staff_create_is_heard_of_like_one_who_signs_up(story):
    alice, bob = await story.sockets("alice", "bob")

    dave = await story.create("dave", email="dave@acme.test")

    heard = (await alice.next_created()).data
    assert (heard["id"], heard["joined_via"], heard["email"]) == (dave.id, "api", "dave@acme.test")
    assert (heard["address"], heard["agent"]) == (None, None), "Alice's own address is not Dave's"
    assert (await bob.next_created()).data["id"] == dave.id


async def test_every_socket_of_a_person_hears(story):
    first, second = await story.sockets("alice", "alice")

    dave = await story.sign_up("dave")

    assert (await first.next_created()).content == (await second.next_created()).content
    assert first.ready["session"] == second.ready["session"], "of one log-in here"
    assert dave.id


async def test_events_come_in_the_order_of_the_log_and_once(story):
    alice, bob = await story.sockets("alice", "bob")

    names = [(await story.sign_up(name)).username for name in ("dave", "erin", "frank", "grace", "heidi")]

    assert [(await alice.next_created()).data["username"] for _ in names] == names
    assert [(await bob.next_created()).data["username"] for _ in names] == names


async def test_mallory_hears_nothing_of_acme(story):
    alice, mallory = await story.sockets("alice", "mallory")

    dave = await story.sign_up("dave")
    niaj = await story.sign_up("niaj", tenant="globex")

    assert (await alice.next_created()).data["id"] == dave.id
    heard = await mallory.next_created()
    assert heard.data["id"] == niaj.id, "anything about Dave would have come first"
    assert heard["tenant"] == "globex"
    oscar = await story.sign_up("oscar")
    assert (await alice.next_created()).data["id"] == oscar.id, "and Niaj's would have come before Oscar's"


async def test_what_is_not_ones_to_see_looks_like_what_never_was(story):
    dave = await story.sign_up("dave")
    never = "0190163d-8694-739b-aea5-966c26f8ad90"

    for who in ("trent", "mallory"):
        hidden, nothing = [await story.call("GET", f"/users/{ident}", by=who) for ident in (dave.id, never)]
        assert hidden.status_code == nothing.status_code == 404, who
        assert {**hidden.json(), "request_id": ""} == {**nothing.json(), "request_id": ""}, who
        assert await story.row(dave, seen_by=who) is None


@pytest.mark.parametrize("who", ["carol", "olga"])
async def test_whoever_may_not_watch_is_refused_everywhere(story, who):
    dave = await story.sign_up("dave")
    token = await story.token(who)

    refusal = await story.refusal(token=token)
    listing = await story.call("GET", "/users", by=who)

    assert refusal.status == 403
    assert refusal.code in ("not_authorised", None)
    assert listing.status_code == 403
    assert dave.username not in listing.text
    assert listing.json()["code"] == "not_authorised"


async def test_ready_says_who_one_is_and_what_one_may(story):
    alice, bob, trent = await story.sockets("alice", "bob", "trent")

    assert alice.ready["version"] == "usher.v1"
    assert alice.ready["tenant"] == "acme"
    assert alice.ready["user"]["username"] == "alice"
    assert set(alice.ready["permissions"]) == {"watch_signups", "manage_users", "manage_grants"}
    assert bob.ready["permissions"] == trent.ready["permissions"] == ["watch_signups"]
    assert list(alice.ready["fields"]) == EVERYTHING
    assert alice.ready["fields"]["email"] == "view_user_contact"
    assert alice.synced["complete"] is True
    me = (await story.call("GET", "/me", by="alice", expect=200)).json()
    assert me["id"] == alice.ready["user"]["id"]
    assert me["role"] == "owner"
