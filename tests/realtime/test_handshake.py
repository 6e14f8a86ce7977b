"""What a WebSocket handshake may ask, read strictly, and how it is refused."""

import pytest

from realtime.handshake import Handshake, Turned, address_of, read

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"


def scope(*headers, query="", subprotocols=None, client=("192.0.2.7", 4711), extensions=None):
    return {
        "type": "websocket",
        "path": "/ws/user_notifications/",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "query_string": query.encode("latin-1"),
        "subprotocols": subprotocols or [],
        "client": client,
        "extensions": {} if extensions is None else extensions,
    }


def test_the_plainest_handshake():
    assert read(scope()) == Handshake(origins=(), subprotocol=None, token=None, cursor=None)


def test_a_handshake_with_everything():
    asked = read(
        scope(
            ("Origin", "https://app.example.com"),
            ("Authorization", f"Bearer {JWT}"),
            query="after=01900000-0000-7000-8000-000000000001&tenant=acme",
            subprotocols=["soap", "usher.v1"],
        )
    )

    assert asked == Handshake(
        origins=("https://app.example.com",),
        subprotocol="usher.v1",
        token=JWT,
        cursor="01900000-0000-7000-8000-000000000001",
    )


def test_a_server_without_lists_that_may_be_absent():
    asked = read({"type": "websocket", "headers": [], "path": "/"})

    assert (asked.subprotocol, asked.cursor) == (None, None)
    assert address_of({"type": "websocket", "headers": []}, ()) is None


@pytest.mark.parametrize("client", [None, ("192.0.2.7", 4711), ["192.0.2.7", 4711], ("192.0.2.7", None)])
def test_the_address_is_the_peers_as_the_server_gives_it(client):
    assert address_of(scope(client=client), ()) == (None if client is None else "192.0.2.7")


@pytest.mark.parametrize("value", [f"Bearer {JWT}", f"bearer {JWT}", f"BEARER  {JWT} "])
def test_a_bearer_token_in_any_case(value):
    assert read(scope(("AUTHORIZATION", value))).token == JWT


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", JWT, f"Basic {JWT}", f"Token {JWT}", f"Bearer\t{JWT}"])
def test_an_authorization_of_another_kind_is_unauthenticated_and_never_the_start_of_a_first_message(value):
    assert _refusal(("authorization", value)) == (401, "unauthenticated")


def test_two_authorizations_are_none():
    both = [("authorization", f"Bearer {JWT}"), ("Authorization", f"Bearer {JWT}")]

    assert _refusal(*both) == (400, "bad_request")


def test_what_else_could_hold_a_token_is_not_looked_at():
    asked = read(scope(("cookie", f"access={JWT}; sessionid={JWT}"), ("x-token", JWT), subprotocols=["usher.v1", JWT]))

    assert asked.token is None


@pytest.mark.parametrize(
    "query",
    [
        f"token={JWT}",
        "token=",
        "token",
        "TOKEN=x",
        "access_token=x",
        "access=x",
        "refresh=x",
        "jwt=x",
        "bearer=x",
        "auth=x",
        "authorization=x",
        "ticket=x",
        "%74oken=x",
        f"after={JWT}",
        f"anything={JWT}",
        f"anything=Bearer%20{JWT}",
        f"anything={JWT.replace('.', '%2E')}",
        f"anything={JWT.rpartition('.')[0]}.",  # without a signature it is one still
        JWT,
        f"{JWT}=",
        f"after=x&{JWT}",
    ],
)
def test_a_token_in_the_address_is_refused(query):
    assert _refusal(query=query) == (400, "token_in_url")


@pytest.mark.parametrize("query", ["after=a&after=b", "after=a&after=a", "after=&after=", "tenant=a&tenant=b"])
def test_a_parameter_that_is_there_twice_is_refused(query):
    assert _refusal(query=query) == (400, "bad_request")


@pytest.mark.parametrize(
    ("query", "cursor"),
    [
        ("", None),
        ("tenant=acme", None),
        ("after", ""),
        ("after=", ""),
        ("after=a%20b", "a b"),
        ("after=%00", "\x00"),
        ("after=%ff", "\N{REPLACEMENT CHARACTER}"),
        ("After=x", None),
        ("&&after=x&", "x"),
    ],
)
def test_a_cursor_is_taken_as_it_is(query, cursor):
    assert read(scope(query=query)).cursor == cursor


@pytest.mark.parametrize(
    ("offered", "chosen"), [([], None), (["usher.v1"], "usher.v1"), (["usher.v2", "usher.v1"], "usher.v1")]
)
def test_the_version_that_is_spoken(offered, chosen):
    assert read(scope(subprotocols=offered)).subprotocol == chosen


@pytest.mark.parametrize("offered", [["usher.v2"], ["USHER.V1"], ["usher.v1 "], ["graphql-ws", "usher"], [""]])
def test_an_unknown_version_alone_is_refused(offered):
    with pytest.raises(Turned, match="none of the offered subprotocols is known; expected usher.v1 or none") as turned:
        read(scope(subprotocols=offered))

    assert (turned.value.status, turned.value.code) == (400, "unknown_version")


def test_all_origins_are_seen():
    assert read(scope(("origin", "https://a"), ("ORIGIN", "https://b"))).origins == ("https://a", "https://b")


def _refusal(*headers, query=""):
    with pytest.raises(Turned) as turned:
        read(scope(*headers, query=query))
    return turned.value.status, turned.value.code
