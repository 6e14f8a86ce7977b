"""Servers whose clocks differ by minutes, and one that is set back by an hour: nothing but times differs."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from uuid import UUID

import httpx
import pytest

from realtime.identity import moment_of
from tests.faults.cluster import Cluster, Node
from tests.faults.creations import API
from tests.faults.experiment import Experiment
from tests.faults.faketime import FalseClock
from tests.faults.history import History, lines_of
from tests.faults.house import PASSWORD
from tests.faults.reading import recorded_in
from tests.stories.sockets import open_socket

PER_SECOND = 15
HOUR = 3600


async def log_in(client: httpx.AsyncClient, address: str, seat) -> dict:
    body = {"tenant": seat.tenant, "username": seat.username, "password": PASSWORD}
    return (await client.post(f"{address}{API}/auth/token", json=body)).json()


async def until_it_shows(offset: int, node: Node) -> None:
    """Wait until the answers of a server, which must be uvicorn, are dated so many seconds after our own clock."""
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client, asyncio.timeout(60):
        while True:
            dated = parsedate_to_datetime((await client.get(f"{node.front}/livez")).headers["date"])
            if abs(dated.timestamp() - time.time() - offset) < HOUR / 2:
                return
            await asyncio.sleep(0.1)


async def refusals_of_tokens(cluster: Cluster, seat) -> list[str]:
    """Show each server's tokens to each server, renew them elsewhere, and again as if the answer had been lost."""
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
        found = await asyncio.gather(*(refusals_of(maker, cluster, client, seat) for maker in cluster.nodes))
    return [refusal for of_one in found for refusal in of_one]


async def refusals_of(maker: Node, cluster: Cluster, client: httpx.AsyncClient, seat) -> list[str]:
    pair = await log_in(client, maker.front, seat)
    for taker in cluster.nodes:
        headers = {"Authorization": f"Bearer {pair['access']}"}
        answer = await client.get(f"{taker.front}{API}/me", headers=headers)
        if answer.status_code != httpx.codes.OK:
            return [f"{maker.name} to {taker.name}: {answer.text}"]
        socket = await open_socket(taker.front, headers=headers)
        await socket.catch_up()
        await socket.leave()
        renewals = [
            await client.post(f"{server.front}{API}/auth/token/refresh", json={"refresh": pair["refresh"]})
            for server in (taker, maker)
        ]
        if renewals[0].text != renewals[1].text or renewals[0].status_code != httpx.codes.OK:
            return [f"renewed at {taker.name}, again at {maker.name}: {[r.text[:99] for r in renewals]}"]
        pair = renewals[0].json()
    return []


@pytest.mark.timeout(600)
async def test_clocks_differ_and_one_is_set_back_by_an_hour(
    scale, seed, furnish, own_redis, history, tmp_path, conclude
):
    url, house = furnish(tenants=2, viewers=scale.of(short=20, long=150))
    variables = {"DATABASE_URL": url, "REDIS_URL": own_redis.url}
    cluster = Cluster(["daphne", "uvicorn", "uvicorn"], history=history, folder=tmp_path, variables=variables)
    clocks = [FalseClock(tmp_path / f"clock-{node.name}") for node in cluster.nodes]
    for node, clock, seconds in zip(cluster.nodes, clocks, (120, -120, 0), strict=True):
        clock.show(seconds)
        node.variables |= clock.variables
    seconds, rounds = scale.of(short=(1.5, 1), long=(8, 4))
    wrong = []

    with cluster:
        async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
            async with experiment.creating(per_second=PER_SECOND):
                for _ in range(rounds):
                    for node in experiment.random.sample(cluster.nodes, len(cluster.nodes)):
                        # Its clients come back elsewhere, with cursors that other clocks have made.
                        await asyncio.sleep(seconds)
                        await cluster.kill(node)
                        await cluster.bring_back(node)
                    wrong += await refusals_of_tokens(cluster, house.seats[0])
                    with history.fault("clock set back"):
                        clocks[2].show(-HOUR)
                        await until_it_shows(-HOUR, cluster.nodes[2])
                        await asyncio.sleep(seconds)
                    wrong += await refusals_of_tokens(cluster, house.seats[0])
                    if rounds > 1:
                        clocks[2].show(0)
            verdict = await experiment.verdict()
        complaints = cluster.complaints()

    offsets = minutes_off(history)
    told_to_reload = {
        life.server
        for viewer in recorded_in(history.path).viewers.values()
        for life in viewer.sockets
        if life.synced is not None and not life.is_complete
    }
    assert not wrong, wrong[0]
    assert {2, -2} <= offsets, f"the clocks did not differ: {offsets}"
    assert min(offsets) < -50, f"no clock was set back: {offsets}"
    assert not complaints
    conclude(
        "Clocks that differ",
        done=f"servers at +120 s, -120 s and one set back by an hour, {rounds} times, {3 * rounds} kill -9 between, "
        f"{verdict.asked} creations",
        bound="0 lost, leaked, out of order; each server takes the others' tokens, renewals and cursors; only "
        "that which is an hour behind may say complete: false",
        measured=verdict.measured() | {"tokens refused": len(wrong)},
        holds=verdict.is_clean and not verdict.creations["unexcused"] and told_to_reload <= {cluster.nodes[2].name},
    )


def minutes_off(history: History) -> set[int]:
    """Return by how many minutes the clocks differed from ours that have made the events' ids."""
    ours = time.time() - time.monotonic()
    lines = list(lines_of(history.path))
    created = {line["user"]: line["t"] for line in lines if line["kind"] == "create" and line["phase"] == "ok"}
    events = [event for line in lines if line["kind"] == "tenant" for event in line["events"]]
    return {
        round((moment_of(UUID(event["id"])).timestamp() - created[event["subject"]] - ours) / 60)
        for event in events
        if event["subject"] in created
    }
