"""The log is pruned, by several at once, while people come back with old and new cursors and creations go on."""

import asyncio
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from accounts.users import Newcomer, import_users
from realtime import retention
from realtime.identity import moment_of
from tenants.models import Tenant
from tests.aging import id_of
from tests.databases import Databases
from tests.faults.experiment import Experiment
from tests.faults.house import House
from tests.faults.reading import recorded_in
from tests.faults.recorded import Creation
from tests.faults.truth import Row, logs_in

DAYS = 9
"""How far the past reaches back. A tenant begins with a retention of as many, and ends with one."""
PER_SECOND = 15
MOST_SECONDS = 1.0
REMOVED = re.compile(r"housekeeping has removed (\d+) events")


def give_a_past(databases: Databases, url: str, house: House, *, events: int) -> dict[str, list[Row]]:
    """Make so many users in each tenant, whose events are spread over the last days, and return the logs."""
    with databases.using(url):
        for tenant in Tenant.objects.filter(slug__in=house.tenants):
            import_users(tenant=tenant, people=[Newcomer(f"{tenant.slug}-past-{number}") for number in range(events)])
        Tenant.objects.update(retention_days=DAYS)
    now = datetime.now(UTC)
    with psycopg.connect(url) as session:
        for rows in logs_in(url).values():
            ages = [timedelta(days=DAYS) * (1 - place / len(rows)) for place in range(len(rows))]
            moved = [(id_of(now - age), row["id"]) for age, row in zip(ages, rows, strict=True)]
            session.cursor().executemany("UPDATE realtime_event SET id = %s WHERE id = %s", moved)
    return logs_in(url)


class Pruning:
    """Shortens retentions, and prunes from here besides what the servers do by themselves."""

    def __init__(self, databases: Databases, url: str) -> None:
        self.removed = 0
        self._databases = databases
        self._url = url

    async def round(self, tenant: str, *, fewer: int, others: int) -> int:
        """Have a tenant keep fewer days, and so many besides the servers prune at once; returns the days it keeps."""
        return await asyncio.to_thread(self._round, tenant, fewer, others)

    async def finish(self) -> None:
        """Prune whatever is still to go."""
        await asyncio.to_thread(self._prune, 1)

    def _round(self, slug: str, fewer: int, others: int) -> int:
        with self._databases.using(self._url):
            tenant = Tenant.objects.get(slug=slug)
            tenant.retention_days -= fewer
            tenant.save(update_fields=["retention_days"])
        self._prune(others)
        return tenant.retention_days

    def _prune(self, others: int) -> None:
        with self._databases.using(self._url), ThreadPoolExecutor() as threads:
            self.removed += sum(threads.map(lambda _: _prune(), range(others)))


def _prune() -> int:
    try:
        return sum(retention.prune_all())
    finally:
        connection.close()


class Returning:
    """People who come back with the cursor that they had when they left: some days ago, or a moment."""

    def __init__(self, experiment: Experiment, logs: dict[str, list[Row]]) -> None:
        self._experiment = experiment
        self._logs = logs
        self._residents = list(experiment.crowd.viewers)
        self._numbers = count(1)

    async def come(self, tenant: str, people: int, *, days: float) -> None:
        """
        Have so many come back to a tenant, half of them with a cursor of around so many days.

        Returns, if that happens soon, as soon as one of them has begun to be sent what he missed.
        """
        random, log, came = self._experiment.random, self._logs[tenant], {}
        for number in range(people):
            resident = random.choice([viewer for viewer in self._residents if viewer.seat.tenant == tenant])
            if number % 2:
                age = min(DAYS, max(0.0, days + random.uniform(-0.7, 0.7)))
                after = log[min(len(log) - 1, int(len(log) * (1 - age / DAYS)))]["id"]
            else:
                after = resident.cursor or random.choice(log)["id"]
            seat = replace(resident.seat, username=f"{resident.name} again {next(self._numbers)}")
            self._experiment.crowd.enter([(seat, resident._token)], after=after)
            came[self._experiment.crowd.viewers[-1]] = after
        for _ in range(100):
            if any(viewer.cursor not in (None, after) for viewer, after in came.items()):
                return
            await asyncio.sleep(0.005)


@dataclass(slots=True)
class Resumes:
    """What became of those who came back."""

    complete: int = 0
    incomplete: int = 0
    needless: int = 0
    """Told ``complete: false`` with a cursor younger than every retention there has been."""
    too_late: int = 0
    """Told ``complete: true`` with a cursor older than every retention there has been."""


def resumes_in(history: Path, house: House) -> Resumes:
    """Look through what everybody was told who came back."""
    found = Resumes()
    blind = {seat.user for seat in house.seats if not seat.sees_somebody}
    now = datetime.now(UTC)
    for viewer in recorded_in(history).viewers.values():
        for life in viewer.sockets:
            if life.after is None or life.synced is None:
                continue
            age = now - (moment_of(UUID(life.after)) or now)
            found.complete += life.is_complete
            found.incomplete += not life.is_complete
            found.needless += not life.is_complete and age < timedelta(hours=23) and viewer.user not in blind
            found.too_late += life.is_complete and age > timedelta(days=DAYS, minutes=5)
    return found


def p99(creations: Iterable[Creation]) -> float:
    """Return the seconds that all but the slowest in a hundred waited for their answer."""
    waits = sorted(creation.decided - creation.invoked for creation in creations)
    return waits[int(0.99 * (len(waits) - 1))]


@pytest.mark.timeout(900)
async def test_pruning_while_people_come_back(
    scale, seed, databases, furnish, start_cluster, own_redis, history, conclude
):
    url, house = furnish(tenants=scale.of(short=2, long=4), viewers=scale.of(short=10, long=40))
    past = await asyncio.to_thread(give_a_past, databases, url, house, events=scale.of(short=300, long=2500))
    cluster = start_cluster(
        "daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url, USHER_HOUSEKEEPING_SECONDS="0.5"
    )
    pruning = Pruning(databases, url)
    seconds = scale.of(short=0.5, long=3.0)
    fewer = scale.of(short=2, long=1)
    rounds = [tenant for tenant in house.tenants for _ in range(1, DAYS, fewer)]

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        experiment.pruned = past
        experiment.random.shuffle(rounds)
        await experiment.begin_creating(int(PER_SECOND * seconds * len(rounds) / 4), per_second=PER_SECOND)
        began = time.monotonic()
        creating = experiment.begin_creating(int(PER_SECOND * seconds * len(rounds)), per_second=PER_SECOND)
        returning = Returning(experiment, past)
        days = dict.fromkeys(house.tenants, DAYS)
        for tenant in rounds:
            await returning.come(tenant, scale.of(short=3, long=4), days=days[tenant])
            # The servers come by every half a second.
            days[tenant] = await pruning.round(tenant, fewer=fewer, others=experiment.random.choice([0, 2]))
            await returning.come(tenant, 1, days=days[tenant])
            await asyncio.sleep(seconds)
        await creating
        verdict = await experiment.verdict()

    for node in cluster.nodes:
        assert await cluster.stop(node) == 0
    await pruning.finish()
    left = await asyncio.to_thread(logs_in, url)
    gone = sum(log[0]["position"] - 1 for log in left.values())
    by_servers = sum(int(n) for node in cluster.nodes for n in REMOVED.findall(node.server.process.output()))
    removed = by_servers + pruning.removed
    resumes = resumes_in(history.path, house)
    creations = [c for c in recorded_in(history.path).creations if c.phase == "ok"]
    before, meanwhile = p99(c for c in creations if c.invoked < began), p99(c for c in creations if c.invoked >= began)
    assert not cluster.complaints()
    assert "housekeeping of" not in "".join(node.server.process.output() for node in cluster.nodes), "nothing failed"
    is_whole = verdict.is_clean and not verdict.creations["unexcused"] and removed == gone
    conclude(
        "Pruning while people come back",
        done=f"{gone} events pruned in {len(rounds)} rounds by 2 servers and up to 2 others at once, "
        f"{resumes.complete + resumes.incomplete} resumed, {verdict.creations.total()} creations",
        bound="each resume complete or said not to be, 0 lost, each event pruned once, creations p99 at most 1 s, "
        "or twice what it was before",
        measured=verdict.measured()
        | {
            "resumed complete": resumes.complete,
            "resumed incomplete": resumes.incomplete,
            "incomplete without need": resumes.needless,
            "complete too late": resumes.too_late,
            "pruned by the servers": by_servers,
            "pruned more than once": removed - gone,
            "creations p99": f"{meanwhile:.3f} s (before: {before:.3f} s)",
        },
        holds=is_whole
        and resumes.complete > 0
        and (resumes.incomplete > 0 or not scale.is_long)
        and not (resumes.needless or resumes.too_late)
        and (meanwhile <= max(MOST_SECONDS, 2 * before) or not scale.is_long),
    )
