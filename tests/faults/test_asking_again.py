"""Clients that ask again with the same key until they are answered: everybody is created once, whatever is killed."""

import asyncio
from collections import Counter
from random import Random
from uuid import UUID

import httpx

from tests.faults.creations import API
from tests.faults.experiment import Experiment
from tests.faults.house import PASSWORD
from tests.faults.proxy import Proxy

PER_SECOND = 12
WAIT_SECONDS = 0.2
GIVEN_UP_AFTER = 300


class Persistent:
    """Creates users as protocol.md asks for it: one key for each, and the same request until there is an answer."""

    def __init__(self, experiment, owners):
        self._experiment = experiment
        self._owners = owners
        self._random = Random(experiment.random.random())
        self.statuses = Counter()
        self.replays = 0
        self.unanswered = 0
        self.refused = []
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(20, connect=5), trust_env=False, verify=False, limits=limits
        )

    async def run(self, number):
        """Create so many users, evenly over time; returns when all are answered."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._client, asyncio.TaskGroup() as tasks:
            for turn in range(number):
                await asyncio.sleep(max(0.0, began + turn / PER_SECOND - loop.time()))
                tasks.create_task(self._create(turn))

    async def _create(self, turn):
        tenant = self._random.choice(self._experiment.house.tenants)
        body = {"username": f"newcomer-{turn}", "email": f"n{turn}@{tenant}.test"}
        path, headers = "/users", {"Authorization": f"Bearer {self._owners[tenant]}"}
        if turn % 3 == 0:
            path, headers, body = f"/tenants/{tenant}/signup", {}, body | {"password": PASSWORD}
        headers["Idempotency-Key"] = str(UUID(int=self._random.getrandbits(128)))
        # One creation in the history, however often it is asked for, and of no server in particular.
        operation = self._experiment.history.begin("create", tenant=tenant, username=body["username"], server="any")
        for _ in range(GIVEN_UP_AFTER):
            front = self._experiment.cluster.next_node().front
            try:
                answer = await self._client.post(f"{front}{API}{path}", headers=headers, json=body)
            except httpx.ConnectError:
                await asyncio.sleep(WAIT_SECONDS)
                continue
            except httpx.TransportError:
                self.unanswered += 1
                await asyncio.sleep(WAIT_SECONDS)
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code == 201:
                self.replays += answer.headers.get("Idempotency-Replayed") == "true"
                operation.ok(user=answer.json()["id"])
                return
            if answer.status_code not in {409, 429, 503} or "Retry-After" not in answer.headers:
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")
                operation.fail(status=answer.status_code)
                return
            await asyncio.sleep(WAIT_SECONDS)
        operation.unknown(why="never answered")


def put_between(node, seed):
    """Have clients go to a node by a line that can be broken: so an answer is lost after the commit, more often."""
    proxy = Proxy(("127.0.0.1", node.port), seed=seed)
    node.front = f"http://127.0.0.1:{proxy.port}"
    return proxy


async def test_who_asks_again_with_the_same_key_creates_everybody_once(
    scale, seed, furnish, start_cluster, own_redis, history, conclude
):
    url, house = furnish(tenants=2, viewers=scale.of(short=10, long=60))
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url)
    kills, resets = scale.of(short=(1, 12), long=(12, 300))
    number = scale.of(short=120, long=1200)

    proxies = [put_between(node, seed) for node in cluster.nodes]

    async with Experiment(cluster, house, history, database_url=url, seed=seed) as experiment:
        persistent = Persistent(experiment, experiment.creations._owners)
        creating = asyncio.create_task(persistent.run(number))
        for turn in range(kills):
            for _ in range(resets // kills):
                await asyncio.sleep(experiment.random.uniform(0, 0.6))
                experiment.random.choice(proxies).reset()
            node = cluster.nodes[turn % len(cluster.nodes)]
            await cluster.kill(node)
            await cluster.bring_back(node)
        await creating
        verdict = await experiment.verdict()

    for proxy in proxies:
        proxy.stop()
    assert not cluster.complaints()
    made = verdict.creations["ok"] - len(house.tenants)  # but for the last word of each
    conclude(
        "Asking again under kill -9",
        done=f"{number} creations with a key each, {kills} kill -9 of 2 servers, {resets} times all connections reset",
        bound="every one answered 201 and created once, with one event; 0 lost",
        measured=verdict.measured()
        | {"connections that broke": persistent.unanswered, "replayed answers": persistent.replays}
        | {f"answers {status}": times for status, times in sorted(persistent.statuses.items())}
        | ({"refused for good": persistent.refused[:3]} if persistent.refused else {}),
        holds=verdict.is_clean
        and not verdict.incomplete
        and made == number
        and not persistent.refused
        and persistent.unanswered > 0,
    )
