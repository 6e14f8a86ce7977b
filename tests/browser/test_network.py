"""What the page says when the line to the server is cut, dead, slow or too slow."""

from contextlib import contextmanager

import pytest

from tests.browser.conftest import serving
from tests.faults.proxy import BLACK_HOLE, GOOD, Line, Proxy
from tests.services.processes import free_port


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

        await alice.waits_to_be_sent_for()
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
