"""
Rights that change while something else goes wrong: taken by REST, given back, and noted, so that "stale" can be seen.

    async with revoking(experiment, per_second=2) as changes, experiment.creating(per_second=20):
        …  # break what is to be broken
    … measured=verdict.measured() | {"taken": changes.made["take"], "given": changes.made["give"]}

In every other tenant the roles of viewers change, down to none at all, and in the others grants on those created last:
a viewer whose role has changed and whose role's grants have as well could not be judged by either. At the end everybody
has the role that he had. Meanwhile some may not watch, so ``until_live`` would wait in vain.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx

from tests.faults.creations import ANSWER_SECONDS, API
from tests.faults.experiment import Experiment
from tests.faults.history import Operation
from tests.faults.house import OWNER, Seat
from tests.faults.rights import EVERYTHING, PERMISSIONS, WATCH
from tests.faults.truth import truths_in

AGAIN_SECONDS = 0.2
Grant = tuple[str, str, str]
"""(user that it is on, holder as the history names it, permission)"""


class Revoking:
    """Changes rights, each until it is surely done, and notes them in the experiment's history."""

    def __init__(self, experiment: Experiment, client: httpx.AsyncClient) -> None:
        self.made: Counter[str] = Counter()
        """``take`` and ``give`` -> how many."""
        self._experiment = experiment
        self._random = experiment.random
        tenants = experiment.house.tenants
        self._others = [seat for seat in experiment.house.seats if seat.role != OWNER]
        self._moving = [seat for seat in self._others if seat.tenant in tenants[::2]]
        self._granting = tenants[1::2]
        self._role_now: dict[Seat, str | None] = {seat: seat.role for seat in self._moving}
        self._gives: dict[str | None, frozenset[str]] = {None: frozenset()}
        self._group_of: dict[tuple[str, str], str] = {}
        self._changed: dict[Grant, bool] = {}
        """A grant that has changed hands -> whether it is held now."""
        self._client = client

    async def run(self, enough: asyncio.Event, *, per_second: float) -> None:
        """Change rights until it is enough; then everybody has his role again."""
        await asyncio.to_thread(self._learn)
        while not enough.is_set():
            if self._granting and self._random.random() < 0.5:
                await self._change_a_grant(self._random.choice(self._granting))
            else:
                seat = self._random.choice(self._moving)
                known = [role for role in self._gives if role not in (OWNER, self._role_now[seat])]
                # Home again every other time, else few would be there to be shown anything.
                away = self._role_now[seat] != seat.role and self._random.random() < 0.5
                await self._set_role(seat, seat.role if away else self._random.choice(known))
            try:
                async with asyncio.timeout(1 / per_second):
                    await enough.wait()
            except TimeoutError:
                continue
        for seat, role in self._role_now.items():
            if role != seat.role:
                await self._set_role(seat, seat.role)

    def _learn(self) -> None:
        """Learn what each role gives from the database, before anything has changed."""
        for slug, found in truths_in(self._experiment.database_url).items():
            anybody = next(iter(found["grants"].values()), {})
            for seat in self._experiment.house.seats:
                if seat.tenant == slug:
                    (group,) = found["groups"][seat.user]
                    self._group_of[slug, seat.role] = group
                    self._gives[seat.role] = frozenset([WATCH, *anybody.get(group, ())])

    async def _set_role(self, seat: Seat, role: str | None) -> None:
        had, has = self._gives[self._role_now[seat]], self._gives[role]
        operations = [
            self._begin(kind, seat.user, EVERYTHING, permissions)
            for kind, permissions in (("take", had - has), ("give", has - had))
            if permissions
        ]
        await self._ask(seat.tenant, "PATCH", f"/users/{seat.user}", {"role": role})
        self._role_now[seat] = role
        for operation in operations:
            operation.ok()

    async def _change_a_grant(self, tenant: str) -> None:
        latest = self._experiment.creations.latest[tenant]
        if not latest:
            return
        subject, permission = self._random.choice(latest), self._random.choice(PERMISSIONS)
        seat = self._random.choice([seat for seat in self._others if seat.tenant == tenant])
        group = self._group_of[tenant, seat.role]
        if self._random.random() < 0.7 and permission in self._gives[seat.role]:
            receiver, holder, was_held = {"role": seat.role}, group, True
        else:
            receiver, holder, was_held = {"user": seat.user}, seat.user, False
        grant = subject, holder, permission
        is_held = self._changed.get(grant, was_held)
        operation = self._begin("take" if is_held else "give", holder, subject, [permission])
        await (self._take if is_held else self._give)(tenant, subject, {"permission": permission, **receiver})
        operation.ok()
        self._changed[grant] = not is_held

    async def _give(self, tenant: str, subject: str, wanted: dict[str, str | None]) -> None:
        await self._ask(tenant, "POST", f"/users/{subject}/grants", wanted)

    async def _take(self, tenant: str, subject: str, wanted: dict[str, str | None]) -> None:
        page = await self._ask(tenant, "GET", f"/users/{subject}/grants?limit=100")  # fewer roles than that have one
        found = [row["id"] for row in page.json()["results"] if wanted.items() <= row.items()]
        assert found, f"{wanted} is not among the grants on {subject}: {page.text}"
        await self._ask(tenant, "DELETE", f"/users/{subject}/grants/{found[0]}")

    def _begin(self, kind: str, holder: str, subject: str, permissions: Iterable[str]) -> Operation:
        self.made[kind] += 1
        return self._experiment.history.begin(kind, holder=holder, subject=subject, permissions=sorted(permissions))

    async def _ask(
        self, tenant: str, method: str, path: str, body: dict[str, str | None] | None = None
    ) -> httpx.Response:
        """Ask one server after the other until it is done. Whoever died may have done it, so what is gone is done."""
        token = self._experiment.tokens[self._experiment.house.owner_of(tenant).username]
        has_been_asked = False
        while True:
            front = self._experiment.cluster.next_node().front
            try:
                answer = await self._client.request(
                    method, f"{front}{API}{path}", json=body, headers={"Authorization": f"Bearer {token}"}
                )
            except httpx.TransportError:
                has_been_asked = True
            else:
                is_gone = method == "DELETE" and answer.status_code == httpx.codes.NOT_FOUND and has_been_asked
                if answer.is_success or is_gone:
                    return answer
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, f"{method} {path}: {answer.text}"
                has_been_asked = True
            await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def revoking(experiment: Experiment, *, per_second: float) -> AsyncIterator[Revoking]:
    """Change rights while the body runs; at its end everybody has the role that he had."""
    async with (
        httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, verify=False) as client,
        asyncio.TaskGroup() as tasks,
    ):
        changes, enough = Revoking(experiment, client), asyncio.Event()
        tasks.create_task(changes.run(enough, per_second=per_second))
        yield changes
        enough.set()
