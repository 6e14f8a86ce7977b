"""Sockets end with what opened them: the token's time, the log-in, the password, the person."""

import time

import pytest

from tests.stories.people import login_of
from tests.stories.servers import TYPICAL
from tests.stories.tokens import remade

# These wait for clocks; the rest of what they need, every other story shows on every combination.
pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")


async def test_a_log_out_closes_the_sockets_of_that_log_in_alone(story):
    bob = await story.hire("bob", role="viewer")
    phone, laptop = await story.log_in(bob), await story.log_in(bob)
    on_phone, on_laptop = await story.raw_socket(token=phone.access), await story.raw_socket(token=laptop.access)
    for socket in (on_phone, on_laptop):
        await socket.catch_up()

    await story.call("POST", "/auth/logout", token=phone.access, expect=204)
    dave = await story.sign_up("dave")

    end = await on_phone.closed()
    assert (end.code, end.reason) == (4102, "session ended; log in again")
    assert end.goodbye is not None
    assert (end.goodbye["code"], end.goodbye["reconnect"]) == (4102, True)
    assert (await on_laptop.next_created()).data["id"] == dave.id
    refusal = await story.refusal(token=phone.access)
    assert (refusal.status, refusal.code in ("session_ended", None)) == (401, True)


async def test_a_token_that_expires_closes_its_socket(story):
    token = remade(await story.token("bob"), story.server.jwt_key, exp=int(time.time()) + 2)
    socket = await story.raw_socket(token=token)
    await socket.catch_up()

    expiring = await socket.next_of("auth.expiring")
    end = await socket.closed()

    assert expiring["token_expires_at"] == socket.ready["token_expires_at"]
    assert (end.code, end.reason) == (4101, "token expired; get a new one and reconnect with after=<last id>")
    assert end.goodbye is not None
    assert end.goodbye["reconnect"] is True


async def test_a_socket_whose_token_is_renewed_outlives_it(story):
    bob = await story.hire("bob", role="viewer")
    login = await story.log_in(bob)
    ending = int(time.time()) + 2
    socket = await story.raw_socket(token=remade(login.access, story.server.jwt_key, exp=ending))
    await socket.catch_up()
    await socket.next_of("auth.expiring")
    refreshed = login_of(await story.call("POST", "/auth/token/refresh", expect=200, refresh=login.refresh))

    await socket.say(type="auth", token=refreshed.access)
    accepted = await socket.next_of("auth.ok")
    # Another socket of the old token's time shows when that time is over.
    witness = await story.raw_socket(token=remade(login.access, story.server.jwt_key, exp=ending + 1))
    await witness.catch_up()
    await witness.next_of("auth.expiring")
    assert (await witness.closed()).code == 4101
    dave = await story.sign_up("dave")

    assert accepted["token_expires_at"] > socket.ready["token_expires_at"]
    assert (await socket.next_created()).data["id"] == dave.id


async def test_a_renewed_socket_ends_with_the_session_of_its_new_token(story):
    bob = await story.hire("bob", role="viewer")
    first, second = await story.log_in(bob), await story.log_in(bob)
    socket = await story.raw_socket(token=first.access)
    await socket.catch_up()

    await socket.say(type="auth", token=second.access)
    await socket.next_of("auth.ok")
    await story.call("POST", "/auth/logout", token=first.access, expect=204)
    dave = await story.sign_up("dave")
    heard = await socket.next_created()
    await story.call("POST", "/auth/logout", token=second.access, expect=204)

    assert heard.data["id"] == dave.id, "the first log-in's end is not its own any more"
    assert (await socket.closed()).code == 4102


async def test_a_socket_takes_no_token_of_somebody_else(story):
    for other in ("alice", "mallory", "olga"):
        socket = await story.socket("bob")

        await socket.say(type="auth", token=await story.token(other))

        assert (await socket.closed()).code == 4401, other


async def test_a_renewal_with_a_session_that_ended_is_the_end(story):
    bob = await story.hire("bob", role="viewer")
    ended = await story.log_in(bob)
    await story.call("POST", "/auth/logout", token=ended.access, expect=204)
    socket = await story.socket(bob)

    await socket.say(type="auth", token=ended.access)

    frame = await socket.next()
    if frame.type == "auth.ok":  # it was signed by us and is in time; that its session is over the hub finds next
        assert (await socket.closed()).code == 4102
    else:
        assert (frame.type, frame["code"]) == ("goodbye", 4102)


async def test_a_new_password_closes_the_other_sessions(story):
    bob = await story.hire("bob", role="viewer")
    here, elsewhere = await story.log_in(bob), await story.log_in(bob)
    on_this, on_other = await story.raw_socket(token=here.access), await story.raw_socket(token=elsewhere.access)
    for socket in (on_this, on_other):
        await socket.catch_up()

    body = {"current": bob.password, "new": "quite-another-word"}
    await story.call("POST", "/auth/password", token=here.access, expect=204, **body)
    dave = await story.sign_up("dave")

    assert (await on_other.closed()).code == 4102
    assert (await on_this.next_created()).data["id"] == dave.id


async def test_a_refresh_token_used_again_closes_the_session(story):
    bob = await story.hire("bob", role="viewer")
    stolen = await story.log_in(bob)
    second = login_of(await story.call("POST", "/auth/token/refresh", expect=200, refresh=stolen.refresh))
    third = login_of(await story.call("POST", "/auth/token/refresh", expect=200, refresh=second.refresh))
    socket = await story.raw_socket(token=third.access)
    await socket.catch_up()

    again = await story.call("POST", "/auth/token/refresh", refresh=stolen.refresh)

    assert (again.status_code, again.json()["code"]) == (401, "session_ended")
    assert (await socket.closed()).code == 4102


async def test_staff_can_log_somebody_out_everywhere(story):
    bob = await story.hire("bob", role="viewer")
    sockets = [await story.raw_socket(token=(await story.log_in(bob)).access) for _ in range(2)]
    for socket in sockets:
        await socket.catch_up()

    await story.call("DELETE", f"/users/{bob.id}/sessions", by="alice", expect=204)

    assert [(await socket.closed()).code for socket in sockets] == [4102, 4102]
