"""What the page says and does while the server, or its database, is away, and when it refuses to go on."""

import re
import signal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.faults.proxy import Proxy
from tests.stories.servers import NAMES

each_server = pytest.mark.parametrize("name", NAMES)

KEEP_SOCKETS = """
    window.kept = []
    window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.kept.push(this) } }
"""


@each_server
async def test_a_server_that_is_killed_is_said_to_be_gone_and_made_up_for(serve, stage_of, name):
    stage = stage_of(serve(name))
    alice = await stage.viewer("alice")
    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)
    await alice.waits_to_be_sent_for()

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
