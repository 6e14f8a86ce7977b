"""What a socket was still to be sent has left the log: that is said, and never passed over."""

import logging
from datetime import timedelta

import pytest

from accounts import grants
from accounts.models import User
from accounts.permissions import VIEW_USER_CONTACT
from accounts.users import Newcomer, import_users
from realtime import bell, log, retention
from realtime.models import Event
from tenants.models import Tenant
from tests.aging import age
from tests.realtime.house import house, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

DAY = timedelta(days=1)
INCOMPLETE = {"type": "synced", "complete": False, "reason": "unknown_cursor"}
PEOPLE = 3 * log.PAGE


async def acme_with_a_past(home):
    """Return acme, a session of Alice, and the ids of its first events, which are six days old."""
    acme = await home.write(make_tenant, "acme")
    alice = await home.write(make_user, acme, "alice", "owner")
    newcomers = [Newcomer(f"user {number}") for number in range(PEOPLE)]
    await home.write(import_users, tenant=acme, people=newcomers)
    ids = await home.write(age, acme.pk, range(1, PEOPLE + 1), 6 * DAY)
    return acme, await home.write(make_session, alice), ids


def keep_a_day(acme):
    """Shorten the retention while somebody is reading, and prune: a cursor accepted before has lost what is behind."""
    Tenant.objects.filter(pk=acme.pk).update(retention_days=1)
    return sum(retention.prune_all())


async def test_a_cursor_inside_the_retention_gets_all_of_it():
    async with house() as home:
        _, session, ids = await acme_with_a_past(home)

        socket = await home.socket(session, cursor=str(ids[0]))
        await socket.until(lambda s: s.of_type("synced"))

    assert len(socket.heard_of) == PEOPLE
    assert socket.of_type("synced") == [{"type": "synced", "complete": True}]
    assert socket.of_type("ready")[0]["limits"]["resume_days"] == 7


async def test_after_pruning_an_old_cursor_is_unknown_and_a_young_one_good():
    async with house() as home:
        acme, session, ids = await acme_with_a_past(home)
        assert await home.write(keep_a_day, acme) == PEOPLE
        youngest = await home.write(lambda: str(Event.objects.get(tenant=acme).pk))

        old, young = [await home.socket(session, cursor=cursor) for cursor in (str(ids[0]), youngest)]
        for socket in (old, young):
            await socket.until(lambda s: s.of_type("synced"))
        await home.write(make_user, acme, "dave")
        await home.read_all()

    assert (old.of_type("synced"), young.of_type("synced")) == ([INCOMPLETE], [{"type": "synced", "complete": True}])
    assert old.heard_of == young.heard_of == ["dave"]
    assert old.of_type("ready")[0]["limits"]["resume_days"] == 1


async def test_what_goes_while_a_slow_reader_catches_up_is_said_to_be_missing():
    async with house() as home:
        acme, session, ids = await acme_with_a_past(home)
        socket = await home.socket(session)
        slow = home.enter(socket.connection.identity, cursor=str(ids[0]))
        await slow.until(lambda s: s.heard_of)
        slow.room.clear()  # it has some of its first page, and reads on only when what comes after is gone
        await home.write(keep_a_day, acme)

        slow.room.set()
        await slow.until(lambda s: s.of_type("synced"))
        await home.write(make_user, acme, "dave")
        await home.read_all()
        await slow.until(lambda s: "dave" in s.heard_of)

    assert slow.of_type("synced") == [INCOMPLETE]
    assert slow.frames.index(INCOMPLETE) < slow.frames.index(slow.of_type("user.created")[-1])
    assert slow.heard_of[-1] == "dave"
    assert len(slow.heard_of) < PEOPLE
    assert slow.closed is None


async def test_whoever_falls_behind_after_synced_is_closed_to_come_back():
    async with house() as home:
        acme, session, _ = await acme_with_a_past(home)
        socket = await home.socket(session)
        await socket.until(lambda s: s.of_type("synced"))
        socket.room.clear()
        newcomers = [Newcomer(f"later {number}") for number in range(300)]
        await home.write(import_users, tenant=acme, people=newcomers)
        await home.read_all()

        def all_but_the_last_go():
            last = Event.objects.filter(tenant=acme).order_by("-position").first().position
            Event.objects.filter(tenant=acme, position__lt=last).delete()

        await home.write(all_but_the_last_go)
        socket.room.set()
        await socket.until(lambda s: s.closed)

    assert socket.closed == 4004
    assert socket.frames[-1]["type"] == "goodbye"
    assert len(socket.heard_of) < 300


async def test_a_hole_before_what_is_new_closes_those_who_are_live(caplog, monkeypatch, settings):
    monkeypatch.setattr(bell, "ring", lambda tenant_id, head=0: None)
    # Nor must a sweep come before the hole is there.
    settings.USHER = settings.USHER.model_copy(update={"sweep_seconds": 3600})
    async with house() as home:
        acme, session, _ = await acme_with_a_past(home)
        socket = await home.socket(session)
        await socket.until(lambda s: s.of_type("synced"))

        def lose_one():
            make_user(acme, "dave")
            make_user(acme, "erin")
            Event.objects.filter(tenant=acme, subject_id=User.objects.get(username="dave").pk).delete()

        await home.write(lose_one)
        home.hub.mark(acme.pk)
        await socket.until(lambda s: s.closed)
        again = await home.socket(session)
        await home.write(make_user, acme, "frank")
        home.hub.mark(acme.pk)
        await again.until(lambda s: s.heard_of)

    assert socket.closed == 4004
    assert socket.heard_of == [], "not even Erin: it would hide that Dave is missing"
    assert again.heard_of == ["frank"]
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        "the log of a tenant lacks events that were not delivered yet; its sockets are closed to resume"
    ]


async def test_a_grant_on_somebody_older_than_the_log_is_told():
    async with house() as home:
        acme, _, _ = await acme_with_a_past(home)
        bob = await home.write(make_user, acme, "bob", "viewer")
        socket = await home.socket(await home.write(make_session, bob))
        await home.write(keep_a_day, acme)

        def grant_on_a_veteran():
            veteran = User.objects.get(tenant=acme, username="user 5")
            User.objects.filter(pk=veteran.pk).update(joined_at=veteran.joined_at - 6 * DAY)
            assert not Event.objects.filter(subject_id=veteran.pk).exists()
            grants.give_grant(subject=veteran, permission=VIEW_USER_CONTACT, to=bob)

        await home.write(grant_on_a_veteran)
        await home.read_all()
        await socket.until(lambda s: s.of_type("rights.changed"))

    assert socket.closed is None
