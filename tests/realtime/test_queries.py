"""The database work of a batch does not grow with the sockets that it serves."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import Session, User
from accounts.permissions import WATCH_SIGNUPS
from realtime import snapshot
from tests.realtime.house import house, identity_of, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


def _sessions_of(user: User, many: int) -> list[Session]:
    now = timezone.now()
    return Session.objects.bulk_create(
        Session(user=user, expires_at=now + timedelta(days=1), refresh_jti=str(uuid4()), refreshed_at=now)
        for _ in range(many)
    )


async def test_a_batch_asks_the_same_at_10_and_at_1000_sockets(monkeypatch):
    asked: list[list[str]] = []
    read = snapshot.read

    def counted(plan: snapshot.Plan) -> snapshot.Answer:
        with CaptureQueriesContext(connection) as captured:
            answer = read(plan)
        asked.append([query["sql"].split("FROM")[-1][:60] for query in captured.captured_queries])
        return answer

    monkeypatch.setattr(snapshot, "read", counted)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        people = [await home.write(make_user, acme, f"viewer {n}", "viewer") for n in range(10)]
        await home.write(assign_perm, WATCH_SIGNUPS, people[0], acme)  # stays admitted when he leaves his role
        sockets: list[Any] = []
        costs: dict[int, tuple[int, int, int]] = {}
        for per_person in (1, 99):
            for person in people:
                for session in await home.write(_sessions_of, person, per_person):
                    sockets.append(home.enter(identity_of(session)))  # noqa: PERF401  entering is what happens here
            asked.clear()
            await home.read_all()
            joining = max(map(len, asked))
            asked.clear()
            newcomer = f"newcomer {per_person}"
            await home.write(make_user, acme, newcomer)
            await home.read_all()
            for socket in sockets:
                await socket.until(lambda s, name=newcomer: s.heard_of[-1:] == [name])
            delivering = max(map(len, asked))
            asked.clear()
            await home.write(people[0].groups.clear)
            await home.read_all()
            revoking = max(map(len, asked))
            await home.write(people[0].groups.set, await home.write(list, people[1].groups.all()))
            await home.read_all()
            costs[len(sockets)] = (joining, delivering, revoking)

    assert set(costs) == {10, 1000}
    assert costs[10] == costs[1000]
    assert max(costs[10]) <= 12
