"""Somebody who looks at the page: what he sees, what he does, and what his browser finds fault with."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, WebSocket, expect

from tests.stories.people import Person
from tools import node

AXE = node.PROJECT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE_MS = 15_000
# A status that is an error, and a line that breaks, are written to the console by the browser itself.
EXPECTED = re.compile(r"^Failed to load resource: |^WebSocket connection to ")
# What `waits_to_be_sent_for` sets; the client takes hold of the function when it is made.
WATCH = """
    const { random } = Math
    Math.random = () => globalThis.chance ?? random()
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
        console.error('policy violated', violatedDirective, blockedURI, `${sourceFile}:${lineNumber}`))
"""
# Every rule that these tags have, also those that axe leaves out unless it is asked.
JUDGE = """async (tags) => {
    // A colour on its way to another one is neither.
    const passing = document.getAnimations().filter((animation) => animation instanceof CSSTransition)
    await Promise.allSettled(passing.map(({ finished }) => finished))
    const rules = Object.fromEntries(axe.getRules(tags).map(({ ruleId }) => [ruleId, { enabled: true }]))
    const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: tags }, rules })
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])])
}"""


class Viewer:
    """A page of the live page, with what a test asks of it. ``faults``: what must not have happened."""

    def __init__(self, page: Page, viewers: list["Viewer"]) -> None:
        self.page = page
        self.faults: list[str] = []
        self.sockets: list[WebSocket] = []
        """Every socket that the page has opened, in order."""
        self._viewers = viewers
        viewers.append(self)
        page.set_default_timeout(PATIENCE_MS)
        page.on("websocket", self._opened)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"thrown: {error}"))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    @classmethod
    async def of(cls, context: BrowserContext, viewers: list["Viewer"]) -> "Viewer":
        """Open an empty page, watch it from its first moment on, and put it among ``viewers``."""
        viewer = cls(await context.new_page(), viewers)
        await viewer.page.add_init_script(WATCH)
        return viewer

    async def tab(self) -> "Viewer":
        """Open the same page in another tab of the same browser."""
        tab = await Viewer.of(self.page.context, self._viewers)
        await tab.page.goto(self.page.url)
        return tab

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.faults.append(f"{message.type}: {message.text}")

    # Doing

    async def sign_in(self, person: Person) -> None:
        """Fill the form in."""
        await self.page.get_by_label("Organisation").fill(person.tenant or "")
        await self.page.get_by_label("Username").fill(person.username)
        await self.page.get_by_label("Password").fill(person.password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    async def sign_out(self) -> None:
        """Sign out by the menu."""
        await self.page.get_by_role("button", name=re.compile("your menu$")).click()
        await self.page.get_by_role("menuitem", name="Sign out").click()

    async def pause(self) -> None:
        """Pause by what the pill opens, close that, and wait until it is so."""
        await self.pill.click()
        await self.page.get_by_role("button", name="Pause").click()
        await self.page.keyboard.press("Escape")
        await self.is_said_to_be("Paused")

    async def waits_to_be_sent_for(self) -> None:
        """Have the page wait a minute or more before it comes back by itself: nobody races it for "Retry now"."""
        await self.page.evaluate("chance = 120")

    # Seeing

    @property
    def pill(self) -> Locator:
        """How the connection stands."""
        return self.page.get_by_role("button", name=re.compile("^Connection: "))

    async def is_said_to_be(self, word: str) -> None:
        """Wait until the connection is said to stand so."""
        await expect(self.pill).to_have_accessible_name(f"Connection: {word}", timeout=PATIENCE_MS)

    @property
    def rows(self) -> Locator:
        """The sign-ups that are drawn."""
        return self.page.get_by_role("article")

    def row(self, name: str) -> Locator:
        """Return the row of whoever has this name, or part of it."""
        return self.rows.filter(has_text=name)

    async def sees(self, text: str | re.Pattern[str], *, within_ms: float = PATIENCE_MS) -> None:
        """Wait until a text is on the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=within_ms)

    async def sees_row(self, name: str, *, within_ms: float = PATIENCE_MS) -> Locator:
        """Wait until a row is there, and return it."""
        row = self.row(name)
        await expect(row).to_be_visible(timeout=within_ms)
        return row

    async def content(self) -> str:
        """Return all that is in the document, shown or not."""
        return await self.page.content()

    # Judging

    @asynccontextmanager
    async def at_fault(self, words: str) -> AsyncIterator[None]:
        """Have the body cause a fault with these words, and forget it with what the browser said of it before."""
        async with self.page.expect_console_message(lambda message: words in message.text):
            yield
        self.faults.clear()

    async def everybody_can_use_it(self) -> None:
        """Have axe look for what WCAG 2.2 forbids, at its levels A and AA; it must find nothing."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        found: Any = await self.page.evaluate(JUDGE, WCAG)
        assert found == [], json.dumps(found, indent=2)
