"""
An experiment from its beginning to its verdict.

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        async with experiment.creating(per_second=20):
            …  # break what is to be broken, and mend it
        # or: creating = experiment.begin_creating(300, per_second=20); …; await creating
        verdict = await experiment.verdict()
    conclude("…", done="…", bound="…", measured=verdict.measured(), holds=verdict.is_clean and …)

Everybody logs in and is live before it begins. In the end one last user is created in each tenant; whoever has been
shown it has been shown all that came before, so nothing is proved by waiting.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import httpx

from tests.faults.cluster import Cluster
from tests.faults.creations import API, SIGN_UPS_IN_TEN, Creations
from tests.faults.crowd import Crowd, Viewer
from tests.faults.history import History
from tests.faults.house import PASSWORD, House, Seat
from tests.faults.judge import judge
from tests.faults.truth import Row, note_truth
from tests.faults.verdict import Verdict

LOG_INS_AT_ONCE = 8
BACK_SECONDS = 60
"""For so long everybody is waited for once all is done."""


class Experiment:
    """Viewers and creations on a running cluster, until the verdict."""

    crowd: Crowd
    creations: Creations
    tokens: dict[str, str]
    """Username -> access token."""

    def __init__(
        self,
        cluster: Cluster,
        house: House,
        history: History,
        *,
        database_url: str,
        seed: int,
        kind_of: Callable[[Seat], type[Viewer]] = lambda seat: Viewer,
        sign_ups_in_ten: int = SIGN_UPS_IN_TEN,
    ) -> None:
        self.cluster = cluster
        self.house = house
        self.history = history
        self.random = Random(seed)
        self.pruned: Mapping[str, Sequence[Row]] = {}
        """What the logs had before, if any of it is to be pruned: the judge would not know it any more."""
        self.database_url = database_url
        self._kind_of = kind_of
        self._sign_ups_in_ten = sign_ups_in_ten

    async def __aenter__(self) -> "Experiment":
        self.tokens = tokens = await self._log_in()
        owners = {tenant: tokens[self.house.owner_of(tenant).username] for tenant in self.house.tenants}
        self.creations = Creations(
            self.cluster,
            self.house,
            self.history,
            self.random,
            owners=owners,
            sign_ups_in_ten=self._sign_ups_in_ten,
        )
        self.crowd = Crowd(self.cluster, self.history, self.random, self._kind_of)
        self.crowd.enter((seat, tokens[seat.username]) for seat in self.house.seats)
        await self.crowd.until_live()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.crowd.leave()
        await self.creations.close()

    def begin_creating(self, number: int, *, per_second: float) -> "asyncio.Task[None]":
        """Begin to create so many users; what is returned ends when all are decided."""
        return asyncio.create_task(self.creations.run(asyncio.Event(), per_second=per_second, most=number))

    @asynccontextmanager
    async def creating(self, *, per_second: float) -> AsyncIterator[None]:
        """Create users while the body runs; at its end all are decided."""
        enough = asyncio.Event()
        running = asyncio.create_task(self.creations.run(enough, per_second=per_second))
        try:
            yield
        finally:
            enough.set()
            await running

    async def verdict(self) -> Verdict:
        """Create the last of each tenant, wait until they were shown, read the truth, and judge. Nothing follows."""
        # Whoever is not back by now is heard of from the judge; whoever is, has a cursor or needs none.
        await self.crowd.until(lambda: not self.crowd.away(), BACK_SECONDS)
        for tenant in self.house.tenants:
            for attempt in range(10):
                self.crowd.expect_last_word(tenant, word := f"last-{attempt}-of-{tenant}")
                if await self.creations.create(tenant, username=word):
                    break
            else:
                raise AssertionError(f"nobody could be created in {tenant} after all was mended")
        await self.crowd.until_last_words()
        self.history.note("over", last_words=sorted(self.crowd.last_words.values()))
        assert not self.crowd.failures(), self.crowd.failures()
        await asyncio.to_thread(note_truth, self.history, self.database_url, pruned=self.pruned)
        await self.crowd.leave()
        self.history.close()
        return await asyncio.to_thread(judge, self.history.path)

    async def _log_in(self) -> dict[str, str]:
        """Log everybody in, and return the access tokens by username."""
        places = asyncio.Semaphore(LOG_INS_AT_ONCE)

        async def log_in(client: httpx.AsyncClient, seat: Seat) -> tuple[str, str]:
            body = {"tenant": seat.tenant, "username": seat.username, "password": PASSWORD}
            async with places:
                answer = await client.post(f"{self.cluster.next_node().front}{API}/auth/token", json=body)
            assert answer.status_code == httpx.codes.OK, f"{seat}: {answer.status_code} {answer.text}"
            return seat.username, answer.json()["access"]

        async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
            return dict(await asyncio.gather(*(log_in(client, seat) for seat in self.house.seats)))
