"""SQLite on a disk that is full, and under a server that is killed: no user without event, no event without user."""

import asyncio
import sqlite3
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest

from tests.faults import house
from tests.faults.creations import API
from tests.faults.experiment import Experiment
from tests.faults.history import lines_of
from tests.faults.house import PASSWORD
from tests.stories import full_disk

PER_SECOND = 10


def integrity_of(url: str) -> str:
    with sqlite3.connect(urlsplit(url).path.removeprefix("/")) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return str(answer)


async def refusal(front: str, seat: house.Seat) -> httpx.Response:
    """Log in, which needs a row."""
    body = {"tenant": seat.tenant, "username": seat.username, "password": PASSWORD}
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        return await client.post(f"{front}{API}/auth/token", json=body)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_full_disk_and_kill_9_under_sqlite(
    scale, seed, databases, start_cluster, history, tmp_path, conclude, kind
):
    url = databases.create("sqlite")
    home = house.furnish(databases, url, tenants=2, viewers=scale.of(short=10, long=60))
    disk_is_full = tmp_path / "disk is full"
    cluster = start_cluster(kind, DATABASE_URL=url, **{full_disk.VARIABLE: str(disk_is_full)})
    rounds, seconds = scale.of(short=(1, 1.5), long=(8, 4))
    (node,) = cluster.nodes
    refusals, closed_by_full_disk = [], 0

    async with Experiment(cluster, home, history, database_url=url, seed=seed) as experiment:
        async with experiment.creating(per_second=PER_SECOND):
            for _ in range(rounds):
                await asyncio.sleep(seconds)
                before = list(experiment.crowd.viewers)
                with history.fault("disk full", server=node.name):
                    disk_is_full.touch()
                    refusals.append(await refusal(node.front, home.seats[0]))
                    await asyncio.sleep(seconds)
                    closed_by_full_disk += sum(not viewer.is_live for viewer in before)
                    disk_is_full.unlink()
                await asyncio.sleep(seconds)
                await cluster.kill(node)
                await cluster.bring_back(node)
                await experiment.crowd.until_live()
        verdict = await experiment.verdict()

    refused = Counter(line.get("status") for line in lines_of(history.path) if line.get("phase") == "fail")
    for answer in refusals:
        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "5")
    assert not cluster.complaints()
    conclude(
        f"Disk full and kill -9 under SQLite ({kind})",
        done=f"{rounds} times each (ENOSPC from every write of SQLite), during {verdict.asked} creations",
        bound="503 with Retry-After; no user without event nor event without user; database whole; sockets stay",
        measured=verdict.measured()
        | {"503": refused[503], "sockets closed by a full disk": closed_by_full_disk, "integrity": integrity_of(url)},
        holds=verdict.is_clean
        and not verdict.incomplete
        and not verdict.creations["unexcused"]
        and refused.keys() == {503}
        and not closed_by_full_disk
        and integrity_of(url) == "ok",
    )
