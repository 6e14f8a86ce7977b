"""More sockets than there may be, at once and again and again: exactly so many get in, and nobody else notices."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.faults.house import PASSWORD
from tests.stories.sockets import PATIENCE, Closed, Refused, Socket, open_socket

LIMITS = {
    "USHER_SOCKETS_PER_USER": 5,
    "USHER_SOCKETS_PER_TENANT": 16,
    "USHER_SOCKETS_PER_ADDRESS": 20,
    "USHER_SOCKETS_PER_PROCESS": 40,
}
EACH_TIMES = 2
"""So many times as many come as there are places."""
MOST_SECONDS = 3
"""Until somebody else's event has come, while all this goes on."""


@dataclass(frozen=True, slots=True)
class Rush:
    """Many who come at once: whose, from where, how many of them are let in, and what the others are told."""

    name: str
    limit: str
    status: tuple[int, str]
    close: int | None
    """None where even a client that would show its token by message gets a status."""

    @property
    def most(self) -> int:
        return LIMITS[self.limit]


RUSHES = [
    Rush("user", "USHER_SOCKETS_PER_USER", (429, "user_limit"), 4201),
    Rush("tenant", "USHER_SOCKETS_PER_TENANT", (429, "tenant_limit"), 4200),
    Rush("address", "USHER_SOCKETS_PER_ADDRESS", (429, "address_limit"), None),
    Rush("process", "USHER_SOCKETS_PER_PROCESS", (503, "node_full"), 4203),
]


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who comes once: by header or by message."""

    token: str
    address: str
    by_message: bool

    async def come(self, front: str) -> Socket | tuple[int, str] | Closed:
        """Return an admitted socket, or the status, or the close."""
        headers = {"X-Forwarded-For": self.address}
        if not self.by_message:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            socket = await open_socket(front, headers=headers)
        except Refused as refused:
            assert int(refused.refusal.headers["retry-after"]) > 0
            return refused.refusal.status, refused.refusal.code or ""
        if self.by_message:
            try:
                await socket.say(type="auth", token=self.token)
            except ConnectionClosed:  # a node that is full does not wait for it
                return await socket.closed()
        try:
            first = await socket.next()
        except ConnectionClosed:
            pytest.fail("closed without a goodbye")
        if first.type == "ready":
            return socket
        assert first.type == "goodbye"
        assert first["retry_after_ms"] > 0
        closed = await socket.closed()
        return Closed(closed.code, closed.reason, first)


class Watcher:
    """Somebody of another tenant, who has been there all along and is to notice nothing."""

    def __init__(self, socket: Socket) -> None:
        self.heard: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._socket = socket
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                frame = await self._socket.next()
            except TimeoutError:
                continue
            if frame.type == "user.created":
                self.heard[frame.data["username"]] = time.monotonic()
                self._changed.set()

    async def until_heard_of(self, names: Collection[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            while set(names) - self.heard.keys():
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._socket.leave()


class Crush:
    """The rushes on one server."""

    def __init__(self, front: str, tokens: dict[str, list[str]], chance: random.Random) -> None:
        self.front = front
        self.tokens = tokens
        self.chance = chance
        self.told: Counter[str] = Counter()
        self.most_admitted: Counter[str] = Counter()

    async def rush(self, rush: Rush) -> None:
        """
        Have twice as many come at once as there are places, until exactly as many as there are have got in.

        Places of the rush before are given back when the server learns that a client has gone, so the first tries may
        find fewer; they may never find more.
        """
        async with asyncio.timeout(PATIENCE * 4):
            while True:
                answers = await asyncio.gather(*(client.come(self.front) for client in self._clients(rush)))
                admitted = [answer for answer in answers if isinstance(answer, Socket)]
                refused = [answer for answer in answers if not isinstance(answer, Socket)]
                await asyncio.gather(*(self._leave(socket) for socket in admitted))
                self.most_admitted[rush.name] = max(self.most_admitted[rush.name], len(admitted))
                assert len(admitted) <= rush.most, f"{len(admitted)} got in by {rush.name}; {rush.most} are the most"
                for answer in refused:
                    self._check(rush, answer)
                if len(admitted) == rush.most:
                    return

    def _clients(self, rush: Rush) -> list[Client]:
        """Return clients of whom only this limit can keep some out."""
        comers = rush.most * EACH_TIMES
        first, *others = self.tokens.values()
        tokens = {
            "user": first[:1] * comers,
            "tenant": first[:comers],
            # No more of any tenant than it may have open.
            "address": [token for of_tenant in zip(first, *others, strict=False) for token in of_tenant][:comers],
            "process": [token for of_tenant in zip(first, *others, strict=False) for token in of_tenant][:comers],
        }[rush.name]
        assert len(tokens) == comers
        clients = []
        for number, token in enumerate(tokens):
            address = "198.51.100.1" if rush.name == "address" else f"192.0.2.{number}"
            by_message = rush.close is not None and number % 4 == 0
            clients.append(Client(token, address, by_message))
        self.chance.shuffle(clients)
        return clients

    def _check(self, rush: Rush, answer: tuple[int, str] | Closed) -> None:
        if isinstance(answer, Closed):
            assert answer.code == rush.close, (rush, answer)
            self.told[str(answer.code)] += 1
        else:
            assert answer == rush.status, (rush, answer)
            self.told[answer[1]] += 1

    async def _leave(self, socket: Socket) -> None:
        """Go, as a client does or as one whose battery is empty."""
        if self.chance.random() < 0.5:
            await socket.leave()
        else:
            socket._connection.transport.abort()


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_exactly_as_many_sockets_as_there_may_be(scale, seed, furnish, start_cluster, history, conclude, kind):
    url, house = furnish(tenants=6, viewers=6 * EACH_TIMES * LIMITS["USHER_SOCKETS_PER_TENANT"])
    variables = {name: str(most) for name, most in LIMITS.items()}
    # The watcher stands in nobody's way: one place more.
    variables["USHER_SOCKETS_PER_PROCESS"] = str(LIMITS["USHER_SOCKETS_PER_PROCESS"] + 1)
    cluster = start_cluster(
        kind,
        DATABASE_URL=url,
        USHER_TRUSTED_PROXIES="127.0.0.1",
        USHER_WAITING_PER_ADDRESS="1000",
        USHER_WAITING_PER_PROCESS="1000",
        **variables,
    )
    (node,) = cluster.nodes
    rounds = scale.of(short=1, long=20)
    async with httpx.AsyncClient(base_url=f"{node.front}/api/v1", timeout=PATIENCE, trust_env=False) as rest:

        def seats_of(tenant):
            seats = [seat for seat in house.seats if seat.tenant == tenant]
            most = LIMITS["USHER_SOCKETS_PER_TENANT"]
            return seats[: {"t1": EACH_TIMES * most, "t2": 1}.get(tenant, most)]

        async def log_in(seat):
            body = {"tenant": seat.tenant, "username": seat.username, "password": PASSWORD}
            answer = await rest.post("/auth/token", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()["access"]

        tokens = {tenant: await asyncio.gather(*map(log_in, seats_of(tenant))) for tenant in house.tenants}
        (neighbour,) = tokens.pop("t2")
        headers = {"Authorization": f"Bearer {neighbour}", "X-Forwarded-For": "203.0.113.80"}
        socket = await open_socket(node.front, headers=headers)
        await socket.catch_up()
        watcher, created = Watcher(socket), {}
        crush = Crush(node.front, tokens, random.Random(seed))
        for turn in range(rounds):
            for rush in RUSHES:
                rushing = asyncio.create_task(crush.rush(rush))
                name = f"dave-{turn}-{rush.name}"
                answer = await rest.post("/tenants/t2/signup", json={"username": name, "password": PASSWORD})
                assert answer.status_code == 201, answer.text
                created[name] = time.monotonic()
                await rushing
        await watcher.until_heard_of(created)
        await watcher.end()

    assert not cluster.complaints()
    slowest = max(watcher.heard[name] - at for name, at in created.items())
    conclude(
        f"Limits of sockets, {kind}",
        done=f"{rounds} rounds of twice as many clients at once as a user, tenant, address and process may have",
        bound="exactly the limit admitted each time, the right code for each other, a neighbour's events within 3 s",
        measured={
            "admitted": dict(crush.most_admitted),
            "refused": dict(crush.told),
            "slowest event of a neighbour": f"{slowest:.2f} s",
        },
        holds=crush.most_admitted == {rush.name: rush.most for rush in RUSHES}
        and (slowest <= MOST_SECONDS or not scale.is_long),
    )
