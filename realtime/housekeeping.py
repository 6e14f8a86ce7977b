"""
Housekeeping: the server removes by itself what is too old to be kept, in a thread that nobody waits for.

Every process comes round now and then; who comes first when a chore is due claims it, by a row of ``ChoreClaim``. An
advisory lock would belong to a connection or a transaction, and one of them would have to stay open, out of the pool,
for as long as the work goes on; SQLite has none at all. A claim is renewed with each step, and lapses by itself when
its process is killed.
"""

import logging
import random
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import connections
from django.db.models.functions import Now

from realtime.chores import Chore, registered
from realtime.models import ChoreClaim

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""How long a claim holds without being renewed. Longer than any step."""
FIRST_ROUND_WITHIN_SECONDS = 60.0
JITTER = 0.1
PAUSE_SECONDS = 0.05
"""Between two steps, so that on SQLite, where one writes at a time, others come in between."""
LETTING_GO_SECONDS = 1.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Housekeeper:
    """A process' housekeeping. Made and started by whoever serves, never at import or before a fork."""

    def __init__(self, *, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._holder = uuid4()
        self._leaving = threading.Event()
        # A daemon: a database that hangs must not keep the process.
        self._thread = threading.Thread(target=self._run, name="usher-housekeeping", daemon=True)

    def start(self) -> None:
        """Begin, some time within the first minute: processes that are started together do not come together."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is under way; what is left another process does. Waits a second at most."""
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join(LETTING_GO_SECONDS)

    def do_what_is_due(self) -> None:
        """Do each chore that is due and that nobody else does. Raises nothing: what failed is due again next time."""
        try:
            for chore in registered():
                if self._leaving.is_set():
                    return
                try:
                    self._do(chore)
                except Exception as error:  # noqa: BLE001  one chore's fault is no other's, nor the server's
                    said = next(iter(str(error).strip().splitlines()), "")
                    name = type(error).__name__
                    logger.error("housekeeping of %s failed (%s: %s); it is tried again", chore.name, name, said)  # noqa: TRY400
        finally:
            connections.close_all()

    def _run(self) -> None:
        seconds = random.uniform(0, min(self.every_seconds, FIRST_ROUND_WITHIN_SECONDS))  # noqa: S311  no secret
        while not self._leaving.wait(seconds):
            self.do_what_is_due()
            seconds = self.every_seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311

    def _do(self, chore: Chore) -> None:
        if not self._claim(chore):
            return
        removed = 0
        for count in chore.clean():
            removed += count
            if not self._hold(chore, LEASE):
                return  # a step took longer than the claim held, and somebody else goes on
            if self._leaving.wait(PAUSE_SECONDS):
                self._hold(chore, timedelta())
                break
        else:
            # A little less than the time to the next round, or this process' own next round would come too early.
            self._hold(chore, timedelta(seconds=self.every_seconds * (1 - 2 * JITTER)))
        if removed:
            logger.info("housekeeping has removed %d %s", removed, chore.name)

    def _claim(self, chore: Chore) -> bool:
        unclaimed = ChoreClaim(chore=chore.name, holder=self._holder, until=LONG_AGO)
        ChoreClaim.objects.bulk_create([unclaimed], ignore_conflicts=True)
        due = ChoreClaim.objects.filter(chore=chore.name, until__lte=Now())
        return due.update(holder=self._holder, until=Now() + LEASE) == 1

    def _hold(self, chore: Chore, time: timedelta) -> bool:
        """Keep a chore from everybody else for so long; returns whether it still is this process' own."""
        own = ChoreClaim.objects.filter(chore=chore.name, holder=self._holder)
        return own.update(until=Now() + time) == 1
