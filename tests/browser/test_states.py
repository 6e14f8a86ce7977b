"""Each state of the page, reached by what really causes it: its words, what is kept and what goes, and the way back."""

import re
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.conftest import serving
from tests.faults.proxy import BLACK_HOLE, GOOD, Line, Proxy
from tests.services.processes import free_port
from tests.stories.servers import NAMES

each_server = pytest.mark.parametrize("name", NAMES)

KEEP_SOCKETS = """
    window.kept = []
    window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.kept.push(this) } }
"""


@pytest.fixture
def cut_off(logs, demo_database):
    """A server behind a line that can be made bad: ``with cut_off("daphne") as (server, line)``."""

    @contextmanager
    def cut_off(name, **variables):
        port = free_port()
        with Proxy(("127.0.0.1", port)) as line:
            given = {"DATABASE_URL": demo_database("sqlite"), "PORT": str(line.port), **variables}
            with serving(name, logs, given, listen_on=port) as server:
                yield server, line

    return cut_off


@each_server
async def test_a_server_that_is_killed_is_said_to_be_gone_and_made_up_for(serve, stage_of, name):
    stage = stage_of(serve(name))
    alice = await stage.viewer("alice")
    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)

    stage.server.process.send(signal.SIGKILL)

    await alice.sees("The connection was lost.")
    await alice.is_said_to_be("Reconnecting")
    await alice.sees_row(dave.username)
    await alice.everybody_can_use_it()
    serve(name, DATABASE_URL=stage.server.variables["DATABASE_URL"], PORT=stage.server.variables["PORT"])
    erin = await stage.story.sign_up("erin")
    await alice.page.get_by_role("complementary", name="Connection").get_by_role("button", name="Retry now").click()
    await alice.is_said_to_be("Live")
    await alice.sees_row(erin.username)


async def test_a_server_that_is_replaced_is_not_worth_a_word(serve, stage_of):
    stage = stage_of(serve())
    alice = await stage.viewer("alice")

    stage.server.stop()
    serve(DATABASE_URL=stage.server.variables["DATABASE_URL"], PORT=stage.server.variables["PORT"])
    dave = await stage.story.sign_up("dave")

    await alice.sees_row(dave.username)
    await alice.is_said_to_be("Live")


async def test_whoever_signs_in_while_the_server_is_away_is_told_so(serve, stage_of):
    stage = stage_of(serve())
    alice = await stage.visitor()
    await alice.sees("Look around as")

    stage.server.process.send(signal.SIGKILL)
    stage.server.process.wait()
    await alice.sign_in(stage.person("alice"))

    await alice.sees("The server does not answer.")
    await alice.everybody_can_use_it()


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


async def test_when_the_session_has_ended_what_was_shown_is_hidden_until_its_owner_signs_in_again(stage):
    peggy = await stage.story.hire("peggy", role="admin")
    dave = await stage.story.sign_up("dave", email="dave@mail.test", full_name="Dave Dover")
    viewer = await stage.viewer(peggy)
    await viewer.sees_row("dave@mail.test")

    await stage.story.call("DELETE", f"/users/{peggy.id}/sessions", by="alice", expect=204)

    await viewer.sees("Sign in again")
    for hidden in (dave.username, "dave@mail.test", "Dave Dover"):
        assert hidden not in await viewer.content()
    await viewer.everybody_can_use_it()
    await viewer.page.emulate_media(color_scheme="dark")
    await viewer.everybody_can_use_it()
    erin = await stage.story.sign_up("erin")
    await viewer.page.get_by_label("Password").fill(peggy.password)
    await viewer.page.get_by_role("button", name="Sign in", exact=True).click()
    await viewer.is_said_to_be("Live")
    await viewer.sees_row(erin.username)
    await viewer.sees_row("dave@mail.test")


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


async def test_a_log_out_that_the_server_cannot_be_told_of_says_so_until_it_can(serve, stage_of):
    stage = stage_of(serve())
    alice = await stage.viewer("alice")
    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)

    stage.server.process.send(signal.SIGKILL)
    stage.server.process.wait()
    await alice.sign_out()

    await alice.sees("Signed out here. The server could not be told, so this browser may still be signed in.")
    assert dave.username not in await alice.content()
    await alice.everybody_can_use_it()
    serve(DATABASE_URL=stage.server.variables["DATABASE_URL"], PORT=stage.server.variables["PORT"])
    await alice.page.get_by_role("button", name="Try again").click()
    await alice.sees("You have signed out.")
    await alice.page.reload()
    await alice.sees("Look around as")


async def test_what_cannot_be_replayed_is_read_again_and_said(stage):
    bob = await stage.viewer("bob")
    dave = await stage.story.sign_up("dave")
    await bob.sees_row(dave.username)

    await bob.pause()
    # What he saw last is not his to see any more, and so no place to go on from.
    await stage.story.hide(dave, role="viewer")
    erin = await stage.story.sign_up("erin")
    await bob.page.get_by_role("button", name="Resume").click()

    await bob.sees("Not everything that was missed could be replayed, so the list was read again.")
    await bob.sees_row(erin.username)
    await expect(bob.row(dave.username)).to_have_count(0)
    await bob.is_said_to_be("Live")
    await bob.everybody_can_use_it()


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


@each_server
async def test_a_page_that_is_not_understood_is_cut_off_for_good_and_says_so(serve, stage_of, name):
    stage = stage_of(serve(name))
    alice = await stage.visitor()
    await alice.page.context.add_init_script(KEEP_SOCKETS)
    await alice.page.reload()
    await alice.sign_in(stage.person("alice"))
    await alice.is_said_to_be("Live")
    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)

    await alice.page.evaluate("kept.at(-1).send('no frame of ours')")

    await alice.sees("The server has ended the connection.")
    await alice.is_said_to_be("Stopped")
    await alice.sees_row(dave.username)
    await alice.everybody_can_use_it()
    erin = await stage.story.sign_up("erin")
    assert len(alice.sockets) == 1
    await alice.page.get_by_role("button", name="Try again").click()
    await alice.is_said_to_be("Live")
    await alice.sees_row(erin.username)


async def test_without_a_network_the_page_says_so_and_catches_up(cut_off, stage_of):
    with cut_off("daphne") as (server, line):
        stage = stage_of(server, at=f"http://127.0.0.1:{line.port}")
        alice = await stage.viewer("alice")

        line.down()
        await alice.page.context.set_offline(True)

        await alice.is_said_to_be("Offline")
        await alice.sees("You are offline. We catch up when you are back.")
        await alice.everybody_can_use_it()
        dave = await stage.story.sign_up("dave")
        line.up()
        await alice.page.context.set_offline(False)
        await alice.is_said_to_be("Live")
        await alice.sees_row(dave.username)


async def test_a_line_that_dies_without_a_word_is_noticed(cut_off, stage_of):
    with cut_off("uvicorn", USHER_HEARTBEAT_SECONDS="1", USHER_PONG_SECONDS="1") as (server, line):
        stage = stage_of(server, at=f"http://127.0.0.1:{line.port}")
        alice = await stage.viewer("alice")

        line.set(BLACK_HOLE)

        await alice.is_said_to_be("Reconnecting")
        dave = await stage.story.sign_up("dave")
        line.set(GOOD)
        await alice.is_said_to_be("Live")
        await alice.sees_row(dave.username)


async def test_a_slow_line_is_said_to_connect_and_to_catch_up(cut_off, stage_of):
    with cut_off("daphne") as (server, line):
        stage = stage_of(server, at=f"http://127.0.0.1:{line.port}")
        alice = await stage.visitor()
        await alice.sees("Look around as")

        line.set(Line(latency_seconds=1))
        await alice.sign_in(stage.person("alice"))
        await alice.is_said_to_be("Connecting")
        await alice.everybody_can_use_it()
        line.set(GOOD)
        await alice.is_said_to_be("Live")
        dave = await stage.story.sign_up("dave")
        await alice.sees_row(dave.username)

        line.down()
        await alice.is_said_to_be("Reconnecting")
        for _ in range(3):
            await stage.story.call("POST", "/demo/signups", by="alice", expect=201, count=100)
        line.set(Line(bytes_per_second=10_000, slice_bytes=2_048))
        line.up()
        await alice.page.get_by_role("button", name="Retry now").click()
        await alice.is_said_to_be("Catching up")
        await alice.everybody_can_use_it()
        await alice.is_said_to_be("Catching up")
        line.set(GOOD)
        await alice.is_said_to_be("Live")


async def test_a_line_too_slow_to_show_a_token_in_time_stops_the_page_which_says_so(cut_off, stage_of):
    with cut_off("daphne", USHER_AUTH_SECONDS="2") as (server, line):
        stage = stage_of(server, at=f"http://127.0.0.1:{line.port}")
        alice = await stage.viewer("alice")
        await alice.pause()

        line.set(Line(latency_seconds=2.5))
        await alice.page.get_by_role("button", name="Resume").click()

        await alice.sees("The server has ended the connection.")
        await alice.is_said_to_be("Stopped")
        await alice.everybody_can_use_it()
        line.set(GOOD)
        dave = await stage.story.sign_up("dave")
        await alice.page.get_by_role("button", name="Try again").click()
        await alice.is_said_to_be("Live")
        await alice.sees_row(dave.username)


async def test_a_pause_holds_everything_back_until_its_end(stage):
    alice = await stage.viewer("alice")
    await alice.pill.click()
    await alice.everybody_can_use_it()
    await alice.page.keyboard.press("Escape")
    await alice.pause()

    dave = await stage.story.sign_up("dave")
    bob = await stage.viewer("bob")
    await bob.sees_row(dave.username)

    await alice.sees("Paused. New sign-ups wait until you resume.")
    await alice.everybody_can_use_it()
    await alice.page.emulate_media(color_scheme="dark")
    await alice.everybody_can_use_it()
    await expect(alice.row(dave.username)).to_have_count(0)
    await alice.page.get_by_role("button", name="Resume").click()
    await alice.is_said_to_be("Live")
    await alice.sees_row(dave.username)


async def test_an_empty_list_says_what_it_waits_for(serve, stage_of):
    trent = await stage_of(serve()).viewer("trent")

    await trent.sees("No sign-ups yet")
    await trent.everybody_can_use_it()


async def test_a_search_that_finds_nobody_offers_the_way_back(stage):
    alice = await stage.viewer("alice", "/?q=nobody-has-this-name")

    await alice.sees("Nobody matches")
    await alice.everybody_can_use_it()
    await alice.page.get_by_role("button", name="Clear filters").first.click()
    await expect(alice.rows.first).to_be_visible()


async def test_a_list_that_cannot_be_read_says_why_and_which_request_it_was(serve, stage_of):
    stage = stage_of(serve(USHER_REQUESTS_PER_USER="1/h"))
    alice = await stage.visitor()

    await alice.sign_in(stage.person("alice"))

    await alice.sees("The list could not be read")
    await alice.sees(re.compile("^Request [0-9a-f]{32}$"))
    await alice.everybody_can_use_it()


async def test_while_the_database_is_away_the_page_says_which_request_failed_and_then_recovers(
    serve, stage_of, databases, demo_database
):
    with Proxy(databases.postgres.socket) as line:
        database = urlsplit(demo_database("postgresql")).path
        stage = stage_of(serve(DATABASE_URL=f"postgresql://postgres@127.0.0.1:{line.port}{database}"))
        alice = await stage.viewer("alice")
        await expect(alice.rows.first).to_be_visible()

        line.down()
        await alice.page.get_by_role("searchbox").fill("nobody has asked for this before")
        tab = await alice.tab()

        await alice.sees("The list could not be read")
        await alice.sees(re.compile("^Request [0-9a-f]{32}$"))
        await alice.everybody_can_use_it()
        await tab.sees("The server cannot let you in just now", within_ms=30_000)
        await tab.sees(re.compile("^Request [0-9a-f]{32}$"))
        await tab.everybody_can_use_it()
        line.up()
        await alice.page.get_by_role("searchbox").fill("")
        await expect(alice.rows.first).to_be_visible()
        dave = await stage.story.sign_up("dave")
        await alice.sees_row(dave.username)
        await alice.is_said_to_be("Live")
        await tab.page.get_by_role("button", name="Try again").click()
        await tab.is_said_to_be("Live")
        await tab.sees_row(dave.username)
