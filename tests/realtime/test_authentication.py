"""The middleware: only admitted sockets get through it, and until then there is little that anybody can make it do."""

import pytest
from asgiref.sync import sync_to_async

from accounts import sessions, users
from accounts.provisioning import change_tenant
from realtime.authentication import JWTAuthMiddleware
from realtime.routing import websocket
from tests.realtime.asgi import access_of, bearer, expired_access_of, refresh_of, visits

ORIGIN = "https://app.example.com"


async def test_a_token_in_the_header_gets_through_before_the_handshake_is_accepted(visit, inside, bob):
    visitor = visit(headers=bearer(access_of(bob)), query="after=x", subprotocols=["usher.v1"])

    assert await visitor.accepted() == {"type": "websocket.accept", "subprotocol": "usher.v1"}
    await visitor.leave()
    (scope,) = inside.scopes
    assert (scope["identity"].session_id, scope["cursor"], scope["path"]) == (bob.pk, "x", "/ws/user_notifications/")
    assert scope["headers"] == [], "the token is kept no longer than it is of use"
    assert len(visitor.heard) == 1


async def test_a_token_in_the_first_message_gets_through(visit, inside, bob):
    visitor = visit(headers=[("origin", ORIGIN)])
    assert await visitor.accepted() == {"type": "websocket.accept", "subprotocol": None}
    assert inside.scopes == []

    visitor.authenticate(bob)

    await visitor.leave()
    (scope,) = inside.scopes
    assert (scope["identity"].session_id, scope["cursor"]) == (bob.pk, None)
    assert len(visitor.heard) == 1, "it is for the application to say more"


async def test_until_admission_nothing_is_joined(visit, inside, bob):
    waiting = [visit() for _ in range(5)]
    for visitor in waiting:
        await visitor.accepted()

    assert visit.home.hub.audiences == {}
    assert inside.scopes == []


def forged(session):
    return access_of(session)[:-2]


def ended(session):
    sessions.end_session(session.user, session.pk, reason="logged_out")
    return access_of(session)


def deactivated(session):
    users.change_user(user=session.user, is_active=False)
    return access_of(session)


def without_role(session):
    users.change_user(user=session.user, role=None)
    return access_of(session)


def suspended(session):
    change_tenant(session.user.tenant, is_active=False)
    return access_of(session)


REFUSALS = [
    (forged, 401, "unauthenticated", 4401),
    (refresh_of, 401, "unauthenticated", 4401),
    (expired_access_of, 401, "token_expired", 4101),
    (ended, 401, "session_ended", 4102),
    (deactivated, 403, "not_authorised", 4403),
    (without_role, 403, "not_authorised", 4403),
    (suspended, 503, "tenant_suspended", 4204),
]


@pytest.mark.parametrize(("token_of", "status", "code", "close"), REFUSALS, ids=[r[0].__name__ for r in REFUSALS])
async def test_whoever_is_refused_learns_why_by_status_or_by_close_code(
    visit, inside, bob, token_of, status, code, close
):
    token = await sync_to_async(token_of)(bob)
    by_header, by_message = visit(headers=bearer(token)), visit()
    by_message.write({"type": "auth", "token": token})

    found = await by_header.refused()
    assert found[:2] == (status, code)
    assert (b"retry-after" in found[2], b"www-authenticate" in found[2]) == (status == 503, status == 401)
    assert await by_message.closed() == close
    assert [message["type"] for message in by_message.heard] == [
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    ]
    assert inside.scopes == []


async def test_a_cookie_is_no_token(visit, inside, bob):
    token = access_of(bob)
    visitor = visit(
        headers=[("cookie", f"access={token}; sessionid={token}; Authorization={token}"), ("origin", ORIGIN)],
        subprotocols=["usher.v1", token],
    )

    await visitor.accepted()

    assert inside.scopes == [], "it waits for a token like everybody else"


@pytest.mark.parametrize(
    ("asks", "status", "code"),
    [
        ({"headers": [("origin", "https://evil.example")]}, 403, "origin_not_allowed"),
        ({"headers": [("origin", "null")]}, 403, "origin_not_allowed"),
        ({"headers": [("origin", "")]}, 403, "origin_not_allowed"),
        ({"headers": [("origin", ORIGIN), ("origin", ORIGIN)]}, 403, "origin_not_allowed"),
        ({"query": "token=x"}, 400, "token_in_url"),
        ({"query": "after=a&after=b"}, 400, "bad_request"),
        ({"subprotocols": ["usher.v2"]}, 400, "unknown_version"),
        ({"headers": [*bearer("a"), *bearer("b")]}, 400, "bad_request"),
        ({"headers": [("authorization", "Basic YTpi")]}, 401, "unauthenticated"),
    ],
)
async def test_a_handshake_that_is_not_as_it_should_be(visit, inside, asks, status, code):
    assert (await visit(**asks).refused())[:2] == (status, code)
    assert inside.scopes == []


async def test_a_good_token_makes_up_for_no_bad_origin(visit, bob):
    visitor = visit(headers=[*bearer(access_of(bob)), ("origin", "https://evil.example")])

    assert (await visitor.refused())[:2] == (403, "origin_not_allowed")


async def test_a_server_on_its_way_out_lets_nobody_in(visit, inside, bob):
    visit.home.hub.is_draining = True

    for visitor in (visit(), visit(headers=bearer(access_of(bob))), visit(query="token=x")):
        status, code, headers = await visitor.refused()
        assert (status, code, headers[b"retry-after"]) == (503, "draining", b"5")
    assert inside.scopes == []


async def test_a_connection_that_does_not_begin_with_connect_is_left_alone(inside):
    async def receive():
        return {"type": "websocket.disconnect", "code": 1006}

    await JWTAuthMiddleware(inside)({}, receive, None)

    assert inside.scopes == []


async def test_there_is_one_path():
    async with visits(websocket) as visit:
        for path in ("/", "/ws/", "/ws/user_notifications", "/ws/user_notifications/x", "/WS/user_notifications/"):
            assert (await visit(path=path, headers=bearer("x")).refused())[:2] == (404, "not_found")
