"""A page in a browser: what its cookie opens on real servers, over the wire as a browser sees it."""

from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from tests.stories.servers import NAMES, TYPICAL

CREDENTIALS = {"tenant": "acme", "password": "usher-demo"}
each_server = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")


def cookie_in(answer: httpx.Response) -> Morsel[str]:
    """Return the one cookie that an answer sets."""
    (line,) = answer.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(line).values()
    return morsel


async def post(story, what, cookie=None, *, expect, origin=None, headers=None, **body):
    """Call ``auth/web/…`` as a page of ``origin`` would, by default as the server's own."""
    sent = {"Origin": origin or story.server.address, **(headers or {})}
    if cookie is not None:
        sent["Cookie"] = f"{cookie.key}={cookie.value}"
    return await story.call("POST", f"/auth/web/{what}", expect=expect, headers=sent, **body)


@each_server
async def test_a_page_logs_in_renews_listens_and_logs_out(story):
    bob = await story.hire("bob", role="viewer")

    first = await post(story, "token", expect=200, tenant="acme", username=bob.username, password=bob.password)
    second = await post(story, "refresh", cookie_in(first), expect=200)
    cookie = cookie_in(second)
    socket = await story.raw_socket(token=second.json()["access"], headers={"Cookie": f"{cookie.key}={cookie.value}"})
    await socket.catch_up()
    left = await post(story, "logout", cookie, expect=204)

    assert (await socket.closed()).code == 4102
    assert (cookie.key, cookie["path"], cookie["samesite"]) == ("usher_refresh", "/api/v1/auth/web", "Strict")
    assert (cookie["httponly"], cookie["secure"]) == (True, "")
    assert cookie.value not in second.text
    assert second.headers["cache-control"] == "no-store"
    assert (cookie_in(left).value, cookie_in(left)["max-age"]) == ("", "0")
    written = story.server.process.output()
    assert not any(part in written for part in cookie.value.split("."))


@each_server
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_anybody_elses_is_refused(story, origin):
    answer = await post(story, "token", expect=403, origin=origin, username="bob", **CREDENTIALS)

    assert answer.json()["code"] == "origin_not_allowed"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
async def test_behind_a_proxy_that_speaks_tls_the_cookie_is_secure(stories_on, demo_database, name):
    (story,) = stories_on(name, DATABASE_URL=demo_database("sqlite"), USHER_TRUSTED_PROXIES="127.0.0.1")
    by_https = {"X-Forwarded-Proto": "https"}
    page = story.server.address.replace("http:", "https:")

    answer = await post(story, "token", expect=200, origin=page, headers=by_https, username="bob", **CREDENTIALS)
    await post(story, "token", expect=403, origin="https://127.0.0.1", headers=by_https, username="bob", **CREDENTIALS)

    cookie = cookie_in(answer)
    assert (cookie.key, cookie["secure"]) == ("__Secure-usher_refresh", True)
    await post(story, "refresh", cookie, expect=200, origin=page, headers=by_https)
