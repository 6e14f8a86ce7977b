"""A server with the page on it, people who act through its API, and people who look at the page."""

from typing import Any

from playwright.async_api import Browser

from tests.browser.viewer import Viewer
from tests.stories.people import Login, Person, Story, Who, person_of
from tests.stories.servers import Server


class Stage:
    """What happens on one server while people look at its page ``at`` an address. ``story`` acts through the API."""

    def __init__(self, server: Server, browser: Browser, at: str) -> None:
        logins: dict[str, tuple[float, Login]] = {}
        self.server = server
        self.story = Story(server, logins)
        self.viewers: list[Viewer] = []
        self._at = at
        self._browser = browser

    async def visitor(self, path: str = "/", **context: Any) -> Viewer:
        """Open the page in a browser of its own, with cookies of its own; ``context`` as Playwright takes it."""
        options = {"base_url": self._at, "locale": "en-GB", "reduced_motion": "reduce"} | context
        viewer = await Viewer.of(await self._browser.new_context(**options), self.viewers)
        await viewer.page.goto(path)
        return viewer

    async def viewer(self, who: Who, path: str = "/", **context: Any) -> Viewer:
        """Open the page, sign somebody in with the form, and wait until he is live."""
        viewer = await self.visitor(path, **context)
        await viewer.sign_in(person_of(who))
        await viewer.is_said_to_be("Live")
        return viewer

    def person(self, who: Who) -> Person:
        """Return one of the cast."""
        return person_of(who)

    async def end(self) -> None:
        """Close all that is open."""
        await self.story.end()
        for viewer in self.viewers:
            await viewer.page.context.close()
