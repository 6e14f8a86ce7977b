"""What the page says and shows when a token, a session, a right or a tenant ends, or there are too many already."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.stories.servers import NAMES

each_server = pytest.mark.parametrize("name", NAMES)


@each_server
async def test_a_token_that_ends_is_renewed_without_a_word(serve, stage_of, name):
    stage = stage_of(serve(name, USHER_ACCESS_SECONDS="68"))
    alice = await stage.visitor()

    # Eight seconds after the token was made; half a minute, if more of its minute went by before the socket was open.
    async with alice.page.expect_response("**/auth/web/refresh", timeout=90_000):
        await alice.sign_in(stage.person("alice"))
        await alice.is_said_to_be("Live")

    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)
    await alice.is_said_to_be("Live")
    assert len(alice.sockets) == 1, "the socket outlives the token"


async def test_tabs_that_need_another_token_at_once_ask_for_one(stage):
    peggy = await stage.story.hire("peggy", role="admin")
    viewer = await stage.viewer(peggy)
    tab = await viewer.tab()
    await tab.is_said_to_be("Live")
    context = viewer.page.context
    asked: list[str] = []
    context.on("request", lambda request: asked.append(urlsplit(request.url).path))

    await context.set_offline(True)
    for one in (viewer, tab):
        await one.is_said_to_be("Offline")
        await one.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(seconds=250))
    await context.set_offline(False)  # which both are told at once, with tokens that are as good as over

    for one in (viewer, tab):
        await one.is_said_to_be("Live")
    assert asked.count("/api/v1/auth/web/refresh") == 1


async def test_when_the_session_has_ended_what_was_shown_is_hidden_until_its_owner_signs_in_again(stage):
    peggy = await stage.story.hire("peggy", role="admin")
    mail = f"{secrets.token_hex(4)}@mail.test"  # others on this server are called Dave, too
    dave = await stage.story.sign_up("dave", email=mail, full_name="Dave Dover")
    viewer = await stage.viewer(peggy)
    await viewer.sees_row(mail)

    await stage.story.call("DELETE", f"/users/{peggy.id}/sessions", by="alice", expect=204)

    await viewer.sees("Sign in again")
    for hidden in (dave.username, mail, "Dave Dover"):
        assert hidden not in await viewer.content()
    await viewer.everybody_can_use_it()
    await viewer.page.emulate_media(color_scheme="dark")
    await viewer.everybody_can_use_it()
    erin = await stage.story.sign_up("erin")
    await viewer.page.get_by_label("Password").fill(peggy.password)
    await viewer.page.get_by_role("button", name="Sign in", exact=True).click()
    await viewer.is_said_to_be("Live")
    await viewer.sees_row(erin.username)
    await viewer.sees_row(mail)


async def test_a_log_out_in_one_tab_is_one_in_all(stage):
    peggy = await stage.story.hire("peggy", role="admin")
    dave = await stage.story.sign_up("dave")
    viewer = await stage.viewer(peggy)
    tab = await viewer.tab()
    await tab.is_said_to_be("Live")

    await tab.sign_out()

    await viewer.sees("You have signed out in another tab.")
    assert dave.username not in await viewer.content()
    await viewer.page.reload()
    await viewer.sees("Sign in")


async def test_a_right_to_watch_that_is_taken_clears_the_page_for_good(stage):
    peggy = await stage.story.hire("peggy", role="viewer")
    dave = await stage.story.sign_up("dave")
    viewer, alice = await stage.viewer(peggy), await stage.viewer("alice")
    await viewer.sees_row(dave.username)

    await stage.story.change(peggy, role=None)

    await viewer.sees("You may not see these sign-ups")
    assert dave.username not in await viewer.content()
    await viewer.everybody_can_use_it()
    erin = await stage.story.sign_up("erin")
    await alice.sees_row(erin.username)
    assert erin.username not in await viewer.content()
    assert len(viewer.sockets) == 1, "nothing is tried again"


async def test_a_right_to_fields_that_is_taken_takes_them_from_rows_that_are_shown(stage):
    peggy = await stage.story.hire("peggy", role="admin")
    dave = await stage.story.sign_up("dave", email="dave.of.the.masks@mail.test")
    viewer = await stage.viewer(peggy)
    row = await viewer.sees_row(dave.username)
    await expect(row).to_contain_text("dave.of.the.masks@mail.test")

    await stage.story.change(peggy, role="viewer")

    await expect(row).to_contain_text("Hidden: needs contact access")
    assert "dave.of.the.masks@mail.test" not in await viewer.content()


@each_server
async def test_a_suspended_tenant_is_said_to_be_suspended_and_comes_back(serve, stage_of, name):
    stage = stage_of(serve(name))
    alice = await stage.viewer("alice")

    await stage.story.call("PATCH", "/platform/tenants/acme", by="olga", expect=200, is_active=False)

    await alice.sees("Your organisation is suspended.")
    await alice.sees(re.compile(r"Trying again in \d+ s\."))
    await alice.everybody_can_use_it()
    await stage.story.call("PATCH", "/platform/tenants/acme", by="olga", expect=200, is_active=True)
    dave = await stage.story.sign_up("dave")
    await alice.page.get_by_role("button", name="Retry now").click()
    await alice.is_said_to_be("Live")
    await alice.sees_row(dave.username)


async def test_who_has_too_many_sockets_open_is_told_which_to_close(serve, stage_of):
    stage = stage_of(serve(USHER_SOCKETS_PER_USER="1"))
    alice = await stage.viewer("alice")

    tab = await alice.tab()

    await tab.sees("You have as many connections open as you may: close one of them, such as another tab.")
    await tab.everybody_can_use_it()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"USHER_SOCKETS_PER_TENANT": "1"}, "Your organisation has as many connections open as it may."),
        ({"USHER_SOCKETS_PER_PROCESS": "1"}, "The server is full."),
    ],
    ids=["4200", "4203"],
)
async def test_who_is_to_wait_is_told_why_and_until_when(serve, stage_of, limits, words):
    stage = stage_of(serve(**limits))
    alice = await stage.viewer("alice")

    other = await stage.visitor()
    await other.sign_in(stage.person("alice"))

    await other.sees(words)
    await other.sees(re.compile(r"Trying again in \d+ s\."))
    await other.is_said_to_be("Reconnecting")
    await other.everybody_can_use_it()
    await alice.page.close()
    await other.page.get_by_role("button", name="Retry now").click()
    await other.is_said_to_be("Live")


async def test_who_comes_too_often_is_told_so_and_is_back_by_himself(serve, stage_of):
    alice = await stage_of(serve(USHER_HANDSHAKES_PER_USER="1/10s")).viewer("alice")

    await alice.pause()
    await alice.page.get_by_role("button", name="Resume").click()

    await alice.sees("Too much came from here in a short time.")
    await alice.sees(re.compile(r"Trying again in \d+ s\."))
    await alice.is_said_to_be("Reconnecting")
    await alice.is_said_to_be("Live")


async def test_an_operator_is_shown_where_to_go(stage):
    olga = await stage.visitor()

    await olga.page.get_by_role("button", name=re.compile("^olga")).click()

    await olga.sees("You are an operator")
    await olga.everybody_can_use_it()
    assert olga.sockets == []
    await expect(olga.page.get_by_role("link", name="Go to administration")).to_have_attribute("href", "/admin/")
    await olga.page.get_by_role("button", name="Sign out").click()
    await olga.sees("You have signed out.")
