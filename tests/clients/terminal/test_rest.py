"""REST from a terminal: what comes back, and what a token is never sent to."""

import asyncio

import pytest

from clients.terminal.connection import socket_url
from clients.terminal.rest import InvalidAddress, Refused, Rest, Unreachable
from tests.clients.terminal.scripted import refusal


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://x/api", "http://x?token=1", "file:///etc/passwd"]
)
def test_an_address_that_is_no_servers_is_refused(address):
    with pytest.raises(InvalidAddress, match="expected one such as"):
        Rest(address)


def test_a_trailing_slash_does_not_matter():
    assert Rest("http://x:1/") == Rest("http://x:1")


@pytest.mark.parametrize(
    ("address", "after", "url"),
    [
        ("http://x:1", None, "ws://x:1/ws/user_notifications/"),
        ("https://x", "an id&more", "wss://x/ws/user_notifications/?after=an+id%26more"),
    ],
)
def test_the_socket_is_at_the_same_server(address, after, url):
    assert socket_url(address, after) == url


async def test_a_refusal_carries_what_the_server_says(server):
    server.answers["/api/v1/me"] = [refusal(429, "too_many", "Too many.", retry_after="7")]

    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(Rest(server.address).get, "/api/v1/me", token="t")

    error = caught.value
    assert (error.status, error.code, error.detail, error.wait_seconds) == (429, "too_many", "Too many.", 7.0)


async def test_a_refusal_without_a_problem_is_told_by_its_status(server):
    server.answers["/api/v1/me"] = [(502, {}, ["not a problem"])]

    with pytest.raises(Refused, match="502 Bad Gateway"):
        await asyncio.to_thread(Rest(server.address).get, "/api/v1/me", token="t")


async def test_a_redirect_is_not_followed(server):
    server.answers["/api/v1/me"] = [(302, {"Location": "/elsewhere"}, None)]

    with pytest.raises(Refused, match="302"):
        await asyncio.to_thread(Rest(server.address).get, "/api/v1/me", token="t")

    assert [path for path, _ in server.requests] == ["/api/v1/me"]


async def test_a_link_to_another_server_is_asked_of_ours(server):
    await asyncio.to_thread(Rest(server.address).get, "http://mallory.test/api/v1/users?cursor=x", token="t")

    assert [path for path, _ in server.requests] == ["/api/v1/users"]


async def test_an_answer_that_is_no_json_is_nobodys_answer(server):
    server.answers["/api/v1/me"] = [(200, {}, None)]
    rest = Rest(server.address)

    assert await asyncio.to_thread(rest.get, "/api/v1/me", token="t") is None
    with pytest.raises(Unreachable, match="does not answer"):
        await asyncio.to_thread(Rest("http://127.0.0.1:1").get, "/api/v1/me", token="t")
