"""The page for readers who know the tutorial: what it shows is run just as it stands there."""

import os
import re
import sys
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from config.env import PROJECT
from tests.browser.chromium import launch
from tests.services.processes import ChildProcess
from tools import node

PAGE = PROJECT / "docs" / "from-the-tutorial.md"
ADDRESS = "127.0.0.1:8000"
WSCAT = PROJECT / "tests" / "node" / "node_modules" / ".bin"


def block(language: str) -> str:
    """Return the one block of that language on the page."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_browser_script_has_ten_lines_and_no_token_in_an_address():
    script = block("js")

    assert len(script.splitlines()) == 10
    assert re.findall(r"new WebSocket\((.*?)\);", script) == ["`ws://${location.host}/ws/user_notifications/`"]


def test_wscat_shows_who_signs_up(documented_demo, tmp_path):
    line = block("sh").replace(ADDRESS, documented_demo.url.removeprefix("http://"))
    assert "wscat -c ws://" in line
    assert '-H "Authorization: Bearer $TOKEN"' in line
    wscat = ChildProcess(
        # wscat is made for a person at a terminal: without one it ends as soon as its input does.
        [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", "sh", "-c", line],
        log=tmp_path / "wscat.log",
        environment=dict(os.environ) | {"PATH": f"{WSCAT}:{node.programs()}:{os.environ['PATH']}", "TERM": "dumb"},
    )
    try:
        wscat.wait_until(lambda: '"type":"synced"' in wscat.output())
        documented_demo.sign_up("dave", email="dave@mail.test")
        wscat.wait_until(lambda: '"message":"New user created: dave"' in wscat.output())
    finally:
        wscat.end()

    assert '"email":"dave@mail.test"' in wscat.output()


@pytest.fixture
async def page(documented_demo):
    """The demo's own page, in Chromium."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        page = await browser.new_page()
        await page.goto(documented_demo.url)
        yield page
        await browser.close()


@pytest.mark.parametrize(("username", "sees_email"), [("alice", True), ("bob", False)])
async def test_the_browser_script_shows_who_signs_up(documented_demo, page, username, sees_email):
    script = block("js").replace('"alice"', f'"{username}"')
    newcomer = f"erin-for-{username}"

    async with page.expect_console_message(lambda message: message.text.startswith("synced")):
        await page.evaluate(f"async () => {{ {script} }}")
    async with page.expect_console_message(lambda message: newcomer in message.text) as shown:
        documented_demo.sign_up(newcomer, email=f"{newcomer}@mail.test")

    message = await shown.value
    assert message.text.startswith(f"New user created: {newcomer}")
    data = await message.args[1].json_value()
    assert ("email" in data) is sees_email


async def test_the_browser_script_is_closed_with_4403_for_carol(page):
    script = block("js").replace('"alice"', '"carol"')

    code = await page.evaluate(
        f"async () => {{ {script}; return new Promise(done => socket.onclose = event => done(event.code)) }}"
    )

    assert code == 4403


def test_every_file_that_the_page_points_to_is_there():
    targets = re.findall(r"\]\(((?!http)[^)#]+)\)", PAGE.read_text())

    assert len(targets) > 10
    assert [target for target in targets if not (PAGE.parent / Path(target)).exists()] == []
