"""
The seam between the list and the socket: clients that come at any moment of a busy time have, together, all there is.

Each is first told ``synced`` and then reads the list. What happened before stands in the list, what comes later is
heard; what falls between would be in neither. Half of them leave again, and come back with the last event's id.
"""

import asyncio
from dataclasses import dataclass, field
from math import inf

import httpx
import pytest

from tests.faults.creations import API
from tests.faults.crowd import Viewer
from tests.faults.experiment import Experiment
from tests.faults.house import House, Seat
from tests.faults.reading import recorded_in
from tests.faults.recorded import Recorded
from tests.faults.rights import FIELDS, HEAR, RightsOverTime
from tests.faults.views import faults_of_view

PAGE = 200
READING_AT_ONCE = 20


@dataclass
class Newcomer:
    """A client that comes late, and what its lists have shown it: user -> row."""

    viewer: Viewer
    rows: dict[str, dict] = field(default_factory=dict)


class Seam:
    """Lets clients come at random moments."""

    def __init__(self, experiment: Experiment, client: httpx.AsyncClient, *, seconds: float) -> None:
        self._experiment = experiment
        self._client = client
        self._seconds = seconds
        self._reading = asyncio.Semaphore(READING_AT_ONCE)
        self.newcomers: list[Newcomer] = []
        self.resumed = 0

    async def come(self, seat: Seat, token: str, *, leaves: bool) -> None:
        """Come at some moment, read the list, and stay; or leave once more at another moment, and come back."""
        chance = self._experiment.random
        await asyncio.sleep(chance.uniform(0, self._seconds * (0.5 if leaves else 0.9)))
        newcomer = Newcomer(Viewer(seat, token, self._experiment.crowd))
        self.newcomers.append(newcomer)
        viewer = newcomer.viewer
        self._experiment.history.note("viewer", viewer=viewer.name, user=seat.user, tenant=seat.tenant)
        if leaves:
            first = asyncio.create_task(viewer._one_socket())
            await self._read_list(newcomer, token)
            await asyncio.sleep(chance.uniform(0, self._seconds * 0.2))
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await asyncio.sleep(chance.uniform(0, self._seconds * 0.2))
        is_resuming = viewer.cursor is not None
        self.resumed += is_resuming
        self._experiment.crowd.add(viewer)
        if not is_resuming:
            await self._read_list(newcomer, token)

    async def _read_list(self, newcomer: Newcomer, token: str) -> None:
        """Read all pages of the list, once the socket is synced."""
        while not newcomer.viewer.is_live:  # noqa: ASYNC110  a viewer tells nobody
            await asyncio.sleep(0.01)
        seen, query = [], f"?limit={PAGE}"
        async with self._reading:
            while query:
                front = self._experiment.cluster.next_node().front
                answer = await self._client.get(
                    f"{front}{API}/users{query}", headers={"Authorization": f"Bearer {token}"}
                )
                assert answer.status_code == httpx.codes.OK, answer.text
                page = answer.json()
                seen += page["results"]
                query = page["next"] and f"?{page['next'].partition('?')[2]}"
        newcomer.rows |= {row["id"]: row for row in seen}
        self._experiment.history.note("listed", viewer=newcomer.viewer.name, users=[row["id"] for row in seen])


def differences(recorded: Recorded, newcomers: list[Newcomer]) -> list[str]:
    """Return what anybody lacks or has too much, list and sockets taken together, and each wrong row of a list."""
    rights = {slug: RightsOverTime(tenant, ()) for slug, tenant in recorded.tenants.items()}
    found = []
    for newcomer in newcomers:
        viewer = recorded.viewers[newcomer.viewer.name]
        tenant = recorded.tenants[viewer.tenant]
        held = {event.subject: rights[viewer.tenant].of(viewer, event.subject, -inf, inf) for event in tenant.events}
        truth = {subject for subject, has in held.items() if HEAR in has.sure}
        frames = (recorded.contents[content] for life in viewer.sockets for _, content in life.frames)
        heard = {frame["data"]["id"] for frame in frames if "data" in frame}
        found += [f"{viewer.name} lacks {user}" for user in truth - heard - newcomer.rows.keys()]
        found += [f"{viewer.name} has {user} too" for user in (heard | newcomer.rows.keys()) - truth]
        for event in tenant.events:
            row = newcomer.rows.get(event.subject)
            if row is not None:
                data = {name: row[name] for name in FIELDS if name in row}
                frame = {"tenant": viewer.tenant, "data": data, "redacted": row["redacted"]}
                faults = faults_of_view(frame, event, viewer.tenant, held[event.subject])
                found += [f"{viewer.name}'s list: {detail}" for _, detail in faults]
    return found


@pytest.mark.timeout(600)
async def test_list_and_socket_together_are_the_truth(
    scale, seed, furnish, start_cluster, own_redis, history, conclude
):
    clients, number, per_second = scale.of(short=(40, 150, 15), long=(500, 2000, 20))
    url, house = furnish(tenants=4, viewers=4 + clients)
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    owners, late = House(house.tenants, house.seats[:4]), House(house.tenants, house.seats[4:])
    options = {"database_url": url, "seed": seed}
    tokens = await Experiment(cluster, late, history, **options)._log_in()

    async with (
        Experiment(cluster, owners, history, **options) as experiment,
        httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as client,
    ):
        seam = Seam(experiment, client, seconds=number / per_second)
        async with experiment.creating(per_second=per_second), asyncio.TaskGroup() as coming:
            for turn, seat in enumerate(late.seats):
                coming.create_task(seam.come(seat, tokens[seat.username], leaves=turn // 4 % 2 == 1))
            coming.create_task(experiment.creations.until_asked(number))
        verdict = await experiment.verdict()

    wrong = differences(recorded_in(history.path), seam.newcomers)
    assert not cluster.complaints()
    conclude(
        "The seam between list and socket",
        done=f"{clients} clients connect at random moments during {verdict.asked} creations, {seam.resumed} of them "
        "resume, 2 servers",
        bound="list, read after synced, and what was heard are the truth for each, as it may see it",
        measured=verdict.measured() | {"differences": len(wrong), "first of them": wrong[:2], "resumed": seam.resumed},
        holds=verdict.is_clean and not wrong and seam.resumed > 0 and not verdict.creations["unexcused"],
    )
