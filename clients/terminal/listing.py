"""
The list of users, for what a socket cannot replay.

A socket without a cursor begins at the moment it is let in, and one whose cursor is too old or unknown cannot be
caught up. Then the list closes the gap: it is read before the first socket opens, and once more after ``synced``; who
is new in it came in between.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from clients.terminal.login import LogIn
from clients.terminal.rest import Refused, Rest
from clients.terminal.seen import Seen

USERS = "/api/v1/users"
MOST_PAGES = 50
NOT_OURS_TO_LIST = 403


class Listing:
    """The users that this viewer may see, as far as they are known already."""

    def __init__(self, rest: Rest, login: LogIn) -> None:
        self._rest = rest
        self._login = login
        self._known = Seen()
        self._shown = Seen()

    async def learn(self) -> None:
        """Take whoever is at the top of the list now for known; raises ``Unreachable`` or ``Refused``."""
        for row in (await self._page(USERS))["results"]:
            self._known.add(row["id"])

    async def newcomers(self) -> list[Mapping[str, Any]]:
        """Return who has come into the list since, oldest first; raises ``Unreachable`` or ``Refused``."""
        found: list[Mapping[str, Any]] = []
        path: str | None = USERS
        for _ in range(MOST_PAGES):
            page = await self._page(path)
            strangers = [row for row in page["results"] if row["id"] not in self._known]
            found += strangers
            path = page["next"]
            # Newest first: a page with somebody known on it is the last that can hold anybody new.
            if path is None or len(strangers) < len(page["results"]):
                break
        for row in found:
            self._known.add(row["id"])
            self._shown.add(row["id"])
        return found[::-1]

    def heard_of(self, identity: str) -> bool:
        """Note that an event told of this user, and return whether the list had told of it before."""
        self._known.add(identity)
        return identity in self._shown

    async def _page(self, path: str | None) -> Mapping[str, Any]:
        try:
            page: Mapping[str, Any] = await asyncio.to_thread(self._rest.get, path or USERS, token=self._login.access)
        except Refused as error:
            if error.status != NOT_OURS_TO_LIST:
                raise
            return {"results": [], "next": None}
        return page
