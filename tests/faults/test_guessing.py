"""
Guessing at passwords, from one address and from hundreds, on two servers: few guesses are looked at, and whoever is
attacked logs in all the while.
"""

import asyncio
import random
import time
from collections import Counter
from itertools import count

import httpx
import pytest

from tests.faults.house import PASSWORD
from tests.stories.sockets import PATIENCE

BOTH, ACCOUNT, ADDRESS = 10, 50, 30
"""The defaults: failures of an account from an address, of an account, and of an address in a minute."""
SERVERS, PLACES = 2, 2
AT_ONCE = SERVERS * PLACES - 1
"""So many guesses more than a limit may be looked at: all places of all servers may see that one more is allowed."""
GUESSERS = 20
HOME = "198.51.100.5"
SLOWEST_SECONDS = 3.0


class Front:
    """Two servers behind a proxy that tells them whom they have to do with."""

    def __init__(self, clients):
        self._clients = clients
        self._turns = count()

    async def log_in(self, username, password, *, tenant="t1", at):
        client = self._clients[next(self._turns) % len(self._clients)]
        body = {"tenant": tenant, "username": username, "password": password}
        return await client.post("/auth/token", json=body, headers={"X-Forwarded-For": at})

    async def guess(self, guesses):
        """Make guesses, ``(username, address)`` each, many at a time; return how often each status came."""
        statuses, waiting = Counter(), iter(guesses)

        async def one_after_another():
            for username, address in waiting:
                answer = await self.log_in(username, "hunter-two", at=address)
                assert answer.json()["code"] in {"bad_credentials", "too_many_failures"}, answer.text
                assert answer.status_code == 401 or int(answer.headers["Retry-After"]) >= 1
                statuses[answer.status_code] += 1

        await asyncio.gather(*(one_after_another() for _ in range(GUESSERS)))
        return statuses


class Owner:
    """Whoever is attacked: logs in from home again and again."""

    def __init__(self, front, username):
        self.log_ins, self.slowest, self.refused = 0, 0.0, []
        self._front, self._username = front, username
        self._task = asyncio.create_task(self._live())

    async def _live(self):
        while True:
            began = time.monotonic()
            answer = await self._front.log_in(self._username, PASSWORD, at=HOME)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.log_ins += 1
            if answer.status_code != 200:
                self.refused.append((answer.status_code, answer.text))
            await asyncio.sleep(0.2)

    async def end(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def front(start_cluster, furnish):
    url, house = furnish(tenants=1, viewers=120)
    cluster = start_cluster(
        "daphne",
        "uvicorn",
        DATABASE_URL=url,
        USHER_TRUSTED_PROXIES="127.0.0.0/8",
        USHER_FAILED_LOGINS_PER_ACCOUNT_AND_ADDRESS=f"{BOTH}/10min",
        USHER_FAILED_LOGINS_PER_ACCOUNT=f"{ACCOUNT}/h",
        USHER_FAILED_LOGINS_PER_ADDRESS=f"{ADDRESS}/min",
    )
    clients = [
        httpx.AsyncClient(base_url=f"{node.front}/api/v1", timeout=PATIENCE, trust_env=False) for node in cluster.nodes
    ]
    front = Front(clients)
    front.house, front.cluster = house, cluster
    yield front
    for client in clients:
        await client.aclose()


async def test_few_guesses_are_looked_at_and_the_owner_gets_in(front, scale, seed, conclude):
    times = scale.of(short=200, long=1_000)
    chance = random.Random(seed)
    victim, *others = [seat.username for seat in front.house.seats]
    addresses = [f"10.{n // 62_500}.{n // 250 % 250}.{n % 250 + 1}" for n in chance.sample(range(1_000_000), times)]
    assert (await front.log_in(victim, PASSWORD, at=HOME)).status_code == 200
    owner = Owner(front, victim)

    of_one = await front.guess((victim, "203.0.113.80") for _ in range(times))
    of_all = of_one + await front.guess((victim, address) for address in addresses)
    began = time.monotonic()
    names = (others + [f"nobody-{number}" for number in range(times)])[:times]
    sprayed = await front.guess((name, "203.0.113.81") for name in chance.sample(names, times))
    minutes = 1 + int((time.monotonic() - began) // 60)
    stranger = await front.log_in(victim, PASSWORD, at="203.0.113.82")
    neighbour = await front.log_in(others[0], PASSWORD, at="203.0.113.82")
    await owner.end()

    assert not front.cluster.complaints()
    assert stranger.status_code == 429, "from a place that the account has never logged in from, even the owner waits"
    assert neighbour.status_code == 200
    holds = [
        BOTH <= of_one[401] <= BOTH + AT_ONCE,
        ACCOUNT <= of_all[401] <= ACCOUNT + AT_ONCE,
        ADDRESS <= sprayed[401] <= (ADDRESS + AT_ONCE) * minutes,
        not owner.refused,
        owner.log_ins > 3,
        owner.slowest <= SLOWEST_SECONDS or not scale.is_long,
    ]
    conclude(
        "Guessing at passwords",
        done=f"{times} guesses at one account from one address, {times} from as many addresses, {times} accounts with "
        "one password; two servers",
        bound=f"{BOTH}, {ACCOUNT} and {ADDRESS} a minute are looked at ({AT_ONCE} more, since {SERVERS * PLACES} are "
        "looked at at a time), the rest is 429 with Retry-After; the owner logs in from home all the while",
        measured={
            "looked at": f"{of_one[401]}, {of_all[401]}, {sprayed[401]} in {minutes} min",
            "refused": of_all[429] + sprayed[429],
            "log-ins of the owner": owner.log_ins,
            "of these refused": len(owner.refused),
            "slowest": f"{owner.slowest:.2f} s",
        },
        holds=all(holds),
    )
