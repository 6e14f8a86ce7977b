"""The database work of a batch does not grow with the sockets that it serves."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import Session, User, UserGrantToGroup
from accounts.permissions import WATCH_SIGNUPS
from realtime import cursors, snapshot
from realtime.identity import new_id
from realtime.models import Event
from realtime.protocol import Close
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


CONTENT_TYPES = 'FROM "django_content_type"'


def _sessions_of(user: User, many: int) -> list[Session]:
    now = timezone.now()
    return Session.objects.bulk_create(
        Session(user=user, expires_at=now + timedelta(days=1), refresh_jti=str(uuid4()), refreshed_at=now)
        for _ in range(many)
    )


@pytest.fixture
def asked(monkeypatch) -> list[list[str]]:
    """What each snapshot has asked."""
    asked: list[list[str]] = []
    read = snapshot.read

    def counted(plan: snapshot.Plan) -> snapshot.Answer:
        with CaptureQueriesContext(connection) as captured:
            answer = read(plan)
        # A process looks content types up once, in whichever snapshot needs them first.
        asked.append([query["sql"] for query in captured.captured_queries if CONTENT_TYPES not in query["sql"]])
        return answer

    monkeypatch.setattr(snapshot, "read", counted)
    return asked


async def test_a_batch_asks_the_same_at_10_and_at_1000_sockets(asked):
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
    assert costs[10][1] == 1, "what is new for live sockets is one statement, and so of one moment by itself"


async def test_those_who_are_far_behind_are_counted_for_a_few_at_a_time(asked, monkeypatch):
    monkeypatch.setattr(cursors, "MOST_VISIBLE", 2)
    monkeypatch.setattr(snapshot, "COUNTED", 3)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        for number in range(4):
            await home.write(make_user, acme, f"missed {number}")
        first = str((await home.write(Event.objects.earliest, "position")).pk)
        sessions = [await home.write(make_session, alice) for _ in range(8)]
        sockets = [home.enter(identity_of(session), cursor=first) for session in sessions]
        await home.read_all()
        for socket in sockets:
            await socket.until(lambda s: s.of_type("synced"))

    counts = [sum("COUNT(" in statement for statement in statements) for statements in asked]
    assert max(counts) == 3
    assert sum(counts) == len(sockets)
    assert all(socket.of_type("synced")[0]["reason"] == "too_many" for socket in sockets)


async def test_a_cursor_of_a_hidden_event_asks_the_same_as_one_of_none(asked):
    """One question more would take longer, and tell that the event is there."""
    async with house() as home:
        acme, globex = [await home.write(make_tenant, slug) for slug in ("acme", "globex")]
        olga = await home.write(make_user, globex, "olga", "viewer")
        bob = await home.write(make_user, acme, "bob", "viewer")
        await home.write(make_user, acme, "hidden")
        hidden = await home.write(Event.objects.latest, "position")
        await home.write(UserGrantToGroup.objects.filter(content_object_id=hidden.subject_id).delete)
        costs = []
        for user, cursor in ((bob, hidden.pk), (olga, hidden.pk), (bob, uuid4()), (bob, new_id())):
            session = await home.write(make_session, user)
            asked.clear()
            socket = home.enter(identity_of(session), cursor=str(cursor))
            await socket.until(lambda s: s.of_type("synced"))
            assert socket.of_type("synced")[0]["reason"] == "unknown_cursor"
            costs.append(max(map(len, asked)))  # a sweep, which asks less, may come at any time
            socket.connection.close(Close.SESSION_ENDED)

    assert len(set(costs)) == 1, costs
