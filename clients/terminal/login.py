"""One log-in: its tokens, and their renewal before they end."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from clients.terminal.rest import Refused, Rest
from clients.terminal.verdicts import Verdict, verdict_on_status

RENEW_BEFORE_SECONDS = 60.0


class SessionOver(Exception):
    """The server renews this log-in no more: whoever wants to go on must log in again."""


class LogIn:
    """
    The tokens of one session. Time is counted from their arrival, so it does not matter what this machine's clock says.

    Made by ``log_in``. Renewals never run side by side, since each makes the refresh token before it a used one.
    """

    def __init__(self, rest: Rest, tokens: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._keep(tokens)

    @property
    def seconds_until_renewal(self) -> float:
        """Return when the access token should be renewed: a minute before its end, or half-way for a shorter one."""
        return self._renew_at - self._clock()

    async def renew(self) -> None:
        """Replace both tokens; raises ``SessionOver``, or ``Refused`` or ``Unreachable`` when it may work later."""
        # Shielded: a renewal that is cancelled half-way would leave us with a refresh token that has been used.
        await asyncio.shield(self._renew(self.access))

    async def _renew(self, used: str) -> None:
        async with self._one_at_a_time:
            if self.access != used:
                return
            try:
                tokens = await asyncio.to_thread(
                    self._rest.post, "/api/v1/auth/token/refresh", {"refresh": self._refresh}
                )
            except Refused as error:
                if verdict_on_status(error.status) in {Verdict.RENEW, Verdict.STOP}:
                    raise SessionOver(f"expired ({error.detail})") from error
                raise
            self._keep(tokens)

    def log_out(self) -> None:
        """End the session. Blocks; raises ``Refused`` or ``Unreachable``."""
        self._rest.post("/api/v1/auth/logout", {}, token=self.access)

    def _keep(self, tokens: Mapping[str, Any]) -> None:
        self.access: str = tokens["access"]
        self._refresh: str = tokens["refresh"]
        lifetime = float(tokens["expires_in"])
        self._renew_at = self._clock() + max(lifetime - RENEW_BEFORE_SECONDS, lifetime / 2)


def log_in(rest: Rest, *, tenant: str | None, username: str, password: str) -> LogIn:
    """Open a session. Blocks; raises ``Refused`` or ``Unreachable``."""
    who = {"username": username, "password": password} | ({"tenant": tenant} if tenant else {})
    return LogIn(rest, rest.post("/api/v1/auth/token", who))
