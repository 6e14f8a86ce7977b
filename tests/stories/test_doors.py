"""The ways into a socket: the header and the first message, from pages of ours, and no other."""

import pytest

from config.env import Environment
from tests.stories.servers import TYPICAL

# What is refused here is decided before the database's or the layer's kind could matter.
pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")


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
    for _ in range(Environment.model_fields["waiting_per_address"].default):
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
