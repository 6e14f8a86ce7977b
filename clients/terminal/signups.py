"""Signing many people up at a steady pace, through the same door as everybody else."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from clients.terminal.newcomers import newcomer
from clients.terminal.rest import Refused, Rest, Unreachable

MOST_AT_ONCE = 16
TRIES = 5
TAKEN, TOO_MANY, UNAVAILABLE = 409, 429, 503
HOPELESS = (401, 403, 404)
"""Refusals that are about the tenant and not about the person: the next one fares no better."""
SHORTEST_WAIT_SECONDS = 1.0


@dataclass
class Tally:
    """How it went."""

    wanted: int
    signed_up: int = 0
    waits: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        waited = f"; the server asked to wait {self.waits} times" if self.waits else ""
        return f"{self.signed_up} of {self.wanted} signed up, {len(self.failures)} failed{waited}"


class Signups:
    """
    Signs people up to a tenant. When the server asks one to wait, all wait; when it takes nobody, all give up.

    ``tell`` is called about once a second with how far it is.
    """

    def __init__(self, rest: Rest, tenant: str, random: Random, tell: Callable[[Tally], None]) -> None:
        self._rest = rest
        self._path = f"/api/v1/tenants/{quote(tenant, safe='')}/signup"
        self._random = random
        self._tell = tell
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._not_before = 0.0
        self._tally = Tally(0)

    def run(self, *, count: int, rate: float) -> Tally:
        """Sign ``count`` people up, ``rate`` of them a second, and return how it went."""
        self._tally = Tally(count)
        start = told = time.monotonic()
        pending: set[Future[None]] = set()
        with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
            try:
                for number in range(count):
                    self._sleep_until(start + number / rate)
                    pending.add(pool.submit(self._sign_one_up))
                    if time.monotonic() - told >= 1:
                        told = time.monotonic()
                        self._tell(self._tally)
                while pending:
                    pending = wait(pending, timeout=1).not_done
                    self._tell(self._tally)
            finally:
                self._over.set()
        return self._tally

    def _sign_one_up(self) -> None:
        failure = "others were not tried after that"
        tries_left = TRIES
        while tries_left and not self._over.is_set():
            self._sleep_until(self._not_before)
            with self._lock:
                who = newcomer(self._random)
            try:
                self._rest.post(self._path, who.as_body())
            except Refused as error:
                failure = f"{who.username}: {error.status} from {self._path}: {error.detail}"
                # Being asked to slow down is no failure, however often; a tenant that stays closed is one.
                tries_left -= error.status != TOO_MANY
                if not self._is_worth_another_try(error):
                    break
            except Unreachable as error:
                failure = f"{who.username}: {error}"
                tries_left -= 1
                self._wait_for(SHORTEST_WAIT_SECONDS)
            else:
                with self._lock:
                    self._tally.signed_up += 1
                return
        if not tries_left:
            self._over.set()
        with self._lock:
            self._tally.failures.append(failure)

    def _is_worth_another_try(self, error: Refused) -> bool:
        if error.status in {TOO_MANY, UNAVAILABLE}:
            self._wait_for(max(error.wait_seconds, SHORTEST_WAIT_SECONDS))
            return True
        if error.status in HOPELESS:
            self._over.set()
        return error.status == TAKEN

    def _wait_for(self, seconds: float) -> None:
        with self._lock:
            self._tally.waits += 1
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _sleep_until(self, moment: float) -> None:
        self._over.wait(max(0.0, moment - time.monotonic()))
