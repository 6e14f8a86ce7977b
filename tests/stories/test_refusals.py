"""Tokens that open nothing, shown in every way there is: each is refused as the protocol says, and without a trace."""

import secrets
import time

import pytest

from tests.stories.people import Story
from tests.stories.servers import TYPICAL
from tests.stories.tokens import remade, session_of, tampered, unsigned

# What is refused here is decided before the database's or the layer's kind could matter.
pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")

UNAUTHENTICATED, EXPIRED, ENDED = (401, "unauthenticated"), (401, "token_expired"), (401, "session_ended")
FORBIDDEN = (403, "not_authorised")
CLOSES = {UNAUTHENTICATED: 4401, EXPIRED: 4101, ENDED: 4102, FORBIDDEN: 4403}
HOUR = 3600


async def forged(story: Story) -> str:
    return tampered(await story.token("alice"))


async def signed_with_another_key(story: Story) -> str:
    return remade(await story.token("alice"), secrets.token_hex(32))


async def that_says_it_needs_no_signature(story: Story) -> str:
    return unsigned(await story.token("alice"))


async def for_another_audience(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, aud="somebody else")


async def for_a_session_of_somebody_else(story: Story) -> str:
    session = session_of(await story.token("mallory"))
    return remade(await story.token("alice"), story.server.jwt_key, sid=session)


async def for_a_user_that_is_no_id(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, sub="alice")


async def without_an_end(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, exp="never")


async def expired(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, iat=int(time.time()) - HOUR, exp=int(time.time()) - 60)


async def refresh_token(story: Story) -> str:
    return (await story.log_in("bob")).refresh


async def garbage(story: Story) -> str:
    return "not-a-token"


async def of_a_session_that_ended(story: Story) -> str:
    token = (await story.log_in("bob")).access
    await story.call("POST", "/auth/logout", token=token, expect=204)
    return token


async def of_a_session_that_never_was(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, sid="0190163d-8694-739b-aea5-966c26f8ad90")


async def of_a_deactivated_user(story: Story) -> str:
    bob = await story.hire("bob", role="viewer")
    token = (await story.log_in(bob)).access
    await story.change(bob, is_active=False)
    return token


async def of_a_member(story: Story) -> str:
    return await story.token("carol")


async def of_an_operator(story: Story) -> str:
    return await story.token("olga")


TOKENS = [
    (forged, UNAUTHENTICATED),
    (signed_with_another_key, UNAUTHENTICATED),
    (that_says_it_needs_no_signature, UNAUTHENTICATED),
    (for_another_audience, UNAUTHENTICATED),
    (for_a_session_of_somebody_else, UNAUTHENTICATED),
    (for_a_user_that_is_no_id, UNAUTHENTICATED),
    (without_an_end, UNAUTHENTICATED),
    (refresh_token, UNAUTHENTICATED),
    (garbage, UNAUTHENTICATED),
    (expired, EXPIRED),
    (of_a_session_that_ended, ENDED),
    (of_a_session_that_never_was, ENDED),
    (of_a_deactivated_user, FORBIDDEN),
    (of_a_member, FORBIDDEN),
    (of_an_operator, FORBIDDEN),
]
each_token = pytest.mark.parametrize(("make", "verdict"), TOKENS, ids=[make.__name__ for make, _ in TOKENS])


@each_token
async def test_a_handshake_is_refused_with_a_status(story, make, verdict):
    refusal = await story.refusal(token=await make(story))

    assert refusal.status == verdict[0]
    assert refusal.code in (verdict[1], None)
    assert refusal.code or story.server.name == "daphne", "uvicorn takes a body"


@each_token
async def test_a_first_message_is_refused_with_a_code(story, make, verdict):
    socket = await story.raw_socket()

    await socket.say(type="auth", token=await make(story))

    end = await socket.closed()
    assert end.code == CLOSES[verdict]
    assert end.goodbye is not None
    assert end.goodbye["code"] == CLOSES[verdict]
    assert end.goodbye["reconnect"] is (CLOSES[verdict] < 4400)


@each_token
async def test_the_api_refuses_it_with_the_same_code(story, make, verdict):
    answer = await story.call("GET", "/users", token=await make(story))

    assert (answer.status_code, answer.json()["code"]) == verdict
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["token", "access_token", "jwt", "anything"])
async def test_a_token_in_the_address_is_refused_however_good_it_is(story, name):
    token = await story.token("alice")

    refusal = await story.refusal(token=token, query=f"?{name}={token}")
    answer = await story.call("GET", f"/users?{name}={token}", token=token)

    assert refusal.status == answer.status_code == 400
    assert token not in story.server.process.output()


async def test_a_cookie_is_not_looked_at(story):
    token = await story.token("alice")
    socket = await story.raw_socket(headers={"Cookie": f"token={token}; access={token}; sessionid={token}"})

    await socket.say(type="pong")

    assert (await socket.closed()).code == 4400, "it still had to say who it is"


async def test_a_subprotocol_is_not_looked_at(story):
    token = await story.token("alice")

    socket = await story.raw_socket(subprotocols=["usher.v1", token])
    await socket.say(type="pong")
    refusal = await story.refusal(subprotocols=[token])

    assert (await socket.closed()).code == 4400, "it still had to say who it is"
    assert refusal.status == 400, "of the versions offered none is known"


async def test_a_first_message_opens_the_socket_of_whoever_it_names(story):
    socket = await story.raw_socket(subprotocols=["usher.v1"])
    await socket.say(type="auth", token=await story.token("bob"))
    await socket.catch_up()

    dave = await story.sign_up("dave")

    assert socket.ready["user"]["username"] == "bob"
    assert (await socket.next_created()).data["id"] == dave.id


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", 4400),
        ("{", 4400),
        ("[]", 4400),
        ('{"type": "auth"}', 4400),
        ('{"type": "auth", "token": 7}', 4400),
        ('{"type": "subscribe", "tenant": "acme"}', 4400),
        (b"\x00\xff", 4400),
        ('{"type": "auth", "token": "%s"}' % ("x" * 9000), 4413),
    ],
    ids=["nothing", "half", "list", "no token", "number", "another type", "binary", "too large"],
)
async def test_a_first_message_that_is_none_is_refused_with_a_code(story, said, code):
    socket = await story.raw_socket()

    await socket.say_text(said)

    assert (await socket.closed()).code == code


async def test_silence_is_ended(story):
    socket = await story.raw_socket()

    assert (await socket.closed()).code == 4408


async def test_of_many_that_stay_silent_some_are_refused(story):
    for _ in range(10):
        await story.raw_socket()

    refusal = await story.refusal()

    assert refusal.status == 429
    assert (await story.socket("alice")).ready, "whoever has a token passes them all by"


@pytest.mark.parametrize(
    "origin", ["http://evil.test", "http://127.0.0.1:1", "https://127.0.0.1:8000", "http://127.0.0.1", "null"]
)
async def test_a_page_of_another_origin_is_refused(story, origin):
    refusal = await story.refusal(token=await story.token("alice"), headers={"Origin": origin})

    assert refusal.status == 403


@pytest.mark.parametrize("origin", ["", "http://[", "http://127.0.0.1:99999"])
async def test_an_origin_that_is_none_is_refused(story, origin):
    refusal = await story.refusal(token=await story.token("alice"), headers={"Origin": origin})

    assert refusal.status in (400, 403), "a server may find it malformed by itself"


async def test_a_page_of_ours_is_let_in(story):
    socket = await story.raw_socket(token=await story.token("alice"), headers={"Origin": "http://127.0.0.1:8000"})

    await socket.catch_up()


@pytest.mark.parametrize("tenant", ["acme", "no-such-tenant"])
async def test_naming_another_tenant_opens_nothing_of_it(story, tenant):
    mallory = await story.raw_socket(token=await story.token("mallory"), query=f"?tenant={tenant}")
    await mallory.catch_up()

    await story.sign_up("dave")
    niaj = await story.sign_up("niaj", tenant="globex")

    assert mallory.ready["tenant"] == "globex"
    assert (await mallory.next_created()).data["id"] == niaj.id


async def test_another_path_is_no_socket(story):
    token = await story.token("alice")

    refusal = await story.refusal(token=token, path="/ws/")

    assert refusal.status == 404
