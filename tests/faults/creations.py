"""The creations of an experiment: over HTTP, at a steady rate, to whichever server is next; each is in the history."""

import asyncio
import contextlib
from collections import deque
from itertools import count, takewhile
from math import inf
from random import Random
from typing import Any

import httpx

from tests.faults.cluster import Cluster, Node
from tests.faults.history import History
from tests.faults.house import PASSWORD, House

API = "/api/v1"
ANSWER_SECONDS = 70
"""Longer than a server allows itself: what it has promised to answer is waited for."""
AT_ONCE = 50
SIGN_UPS_IN_TEN = 2
LATEST = 20


class Creations:
    """Creates users: most by their tenant's owner, some by signing up."""

    def __init__(
        self,
        cluster: Cluster,
        house: House,
        history: History,
        random: Random,
        *,
        owners: dict[str, str],
        sign_ups_in_ten: int = SIGN_UPS_IN_TEN,
    ) -> None:
        self._cluster = cluster
        self._house = house
        self._history = history
        self._random = random
        self._owners = owners
        """Tenant -> access token."""
        self._sign_ups_in_ten = sign_ups_in_ten
        self.node: Node | None = None
        """Who is asked; None is each in its turn."""
        self.asked = 0
        self._under_way: set[asyncio.Task[bool]] = set()
        self.latest: dict[str, deque[str]] = {tenant: deque(maxlen=LATEST) for tenant in house.tenants}
        """Tenant -> ids of the users created last."""
        self._numbers = count(1)
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=5, pool=None), trust_env=False, verify=False, limits=limits
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def run(self, enough: asyncio.Event, *, per_second: float, most: float = inf) -> None:
        """
        Create users until it is enough, or ``most`` of them; return when all are decided.

        They come evenly over time, and by chance over the tenants. A machine that is too slow for this rate
        is not buried: then the next waits until one of fifty is answered.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for turn in takewhile(lambda turn: turn < most, count()):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(began + turn / per_second):
                        await enough.wait()
                await places.acquire()
                if enough.is_set():
                    return
                self.asked += 1
                creating = tasks.create_task(self.create(self._random.choice(self._house.tenants)))
                self._under_way.add(creating)
                creating.add_done_callback(lambda _: places.release())
                creating.add_done_callback(self._under_way.discard)

    async def until_answered(self) -> None:
        """Wait until all that are under way now are decided."""
        if self._under_way:
            await asyncio.wait(self._under_way.copy())

    async def until_asked(self, number: int) -> None:
        """Wait until so many have been asked for."""
        while self.asked < number:  # noqa: ASYNC110  an event for each number would be no simpler
            await asyncio.sleep(0.02)

    async def create(self, tenant: str, *, username: str | None = None) -> bool:
        """Have one user created; tell whether it was answered as done."""
        username = username or f"newcomer-{next(self._numbers)}"
        path, headers, body = self._request(tenant, username)
        node = self.node or self._cluster.next_node()
        operation = self._history.begin("create", tenant=tenant, username=username, server=node.name)
        for _ in range(100):
            try:
                answer = await self._client.post(f"{node.front}{API}{path}", headers=headers, json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nobody was asked: the server is down, or this machine busy. The next one is, as a balancer would do.
                node = await self._other_than(node)
                continue
            except httpx.TransportError as error:
                operation.unknown(server=node.name, why=f"{type(error).__name__}: {error}")
                return False
            if answer.status_code == httpx.codes.CREATED:
                user = answer.json()["id"]
                operation.ok(server=node.name, user=user)
                self.latest[tenant].append(user)
                return True
            when = answer.headers.get("Retry-After")
            operation.fail(server=node.name, status=answer.status_code, retry_after=when, why=answer.text[:200])
            return False
        operation.fail(server=node.name, status=0, why="no server was up")
        return False

    def _request(self, tenant: str, username: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        number = self._random.randrange(10)
        body = {"username": username, "email": f"{username}@{tenant}.test"}
        if number < self._sign_ups_in_ten:
            return f"/tenants/{tenant}/signup", {}, body | {"password": PASSWORD}
        optional = {"full_name": f"Newcomer {number}"} if number % 2 else {"phone": f"+49 30 {number}"}
        return "/users", {"Authorization": f"Bearer {self._owners[tenant]}"}, body | optional

    async def _other_than(self, node: Node) -> Node:
        await asyncio.sleep(0.05)
        other = self._cluster.next_node()
        return other if other is not node else self._cluster.next_node()
