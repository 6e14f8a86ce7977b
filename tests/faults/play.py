"""The changes of rights and creations of an experiment: each on a thread of its own, or by REST, many at a time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from django.db import connections

from accounts.models import Session, User
from accounts.tokens import pair_of
from tests.faults.changing import Changer
from tests.faults.creations import API
from tests.faults.house import PASSWORD
from tests.faults.sequence import Change
from tests.faults.watchers import Watcher
from tests.realtime.house import make_session

THREADS = 14


class Play:
    """The changes and creations, and what is known of each."""

    def __init__(self, changer: Changer, watchers: list[Watcher], base: str, token: str) -> None:
        self.changer, self.watchers = changer, watchers
        self.random = changer.random
        self.began: dict[str, float] = {}
        """Username -> when its creation was begun."""
        self.by_rest: list[tuple[Change, str]] = []
        self._turns = {watcher: asyncio.Lock() for watcher in watchers}
        self._rest_turn = asyncio.Lock()
        self._threads = ThreadPoolExecutor(THREADS)
        self._client = httpx.AsyncClient(
            base_url=f"{base}{API}", headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
        )

    async def change(self, number: int) -> None:
        """Have one right change, of whomever's turn it can be."""
        # The first is the owner, who sees all and is the witness.
        watcher = self.random.choice([w for w in self.watchers[1:] if not self._turns[w].locked()])
        names = [f"{path}-{number}" for path in ("with", "granted", "hidden")]
        self.began |= dict.fromkeys(names, time.monotonic())
        chance = self.random.random()
        if chance < 0.04:
            await self._run(self.changer.change_role, self.random.choice(("admin", "viewer", "auditor")))
        elif chance < 0.12:
            await self._run(self.changer.create_with_a_grant, watcher.user, names[1])
        elif chance < 0.2:
            await self._run(self.changer.create_and_hide, self.random.choice(("admin", "viewer", "auditor")), names[2])
        else:
            async with self._turns[watcher]:
                if chance < 0.3 and not self._rest_turn.locked():
                    await self._change_by_rest(watcher)
                else:
                    await self._run(self.changer.change, watcher.user, watcher.session, number)

    async def create(self, username: str) -> None:
        """Create somebody, and change nothing."""
        self.began[username] = time.monotonic()
        if self.random.random() < 0.5:
            body = {"username": username, "password": PASSWORD}
            (await self._client.post(f"/tenants/{self.changer.tenant.slug}/signup", json=body)).raise_for_status()
        else:
            await self._run(self.changer.create, username)

    async def end(self) -> None:
        """Let everything go."""
        await self._client.aclose()
        for _ in range(THREADS):
            self._threads.submit(connections.close_all)
        self._threads.shutdown()

    async def _run(self, call: Callable[..., Any], *args: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def _change_by_rest(self, watcher: Watcher) -> None:
        """One at a time: then the counter values that no other change has are theirs, in their order."""
        user, now = watcher.user, self.changer.now
        async with self._rest_turn, watcher.beginning:
            own = self._sessions_of(user)
            alive = [fact for fact in list(now) if fact[0] == "alive" and now[fact] and fact[1] in own]
            began = time.monotonic()
            if now["active", user] and (not alive or self.random.random() < 0.5):
                facts = {("active", user): False, **dict.fromkeys(alive, False)}
                answer = await self._client.patch(f"/users/{user}", json={"is_active": False})
                kind = "deactivation by REST"
            elif now["active", user]:
                facts, kind = dict.fromkeys(alive, False), "session ends by REST"
                answer = await self._client.delete(f"/users/{user}/sessions")
            else:
                facts, kind = {("active", user): True}, "reactivation by REST"
                answer = await self._client.patch(f"/users/{user}", json={"is_active": True})
            answer.raise_for_status()
            self.by_rest.append((Change(0, began, time.monotonic(), facts), kind))
            now |= facts

    def _sessions_of(self, user: str) -> set[str]:
        watcher = next(w for w in self.watchers if w.user == user)
        return {*(watch.session for watch in watcher.watches), str(watcher.session)}


def log_in(user: str, changer: Changer) -> tuple[str, str]:
    """Begin a session, and return its id and a token."""
    session: Session = make_session(User.objects.get(pk=user))
    changer.model.first["alive", str(session.pk)] = changer.now["alive", str(session.pk)] = True
    access = pair_of(session).access
    connections.close_all()
    return str(session.pk), access
