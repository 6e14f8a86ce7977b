"""A tenant with many sockets and much news takes many short turns of the loop, and others come in between."""

import asyncio
import threading

import pytest
from guardian.shortcuts import assign_perm

from accounts.models import Role
from accounts.permissions import VIEW_USER_CONTACT
from accounts.users import Newcomer, import_users
from realtime import audience, batch, changes, hub, log, snapshot
from realtime.audience import Audience
from realtime.log import PAGE
from realtime.models import Event
from realtime.outlets import MOST_FRAMES
from tests.realtime.house import house, identity_of, make_session, make_tenant, make_user, socket_of
from tests.realtime.transport import Transport, Way, connection_to

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

SOCKETS, PEOPLE = 4, 30


@pytest.fixture
def turns(monkeypatch):
    """What each turn has handed to its tenant's sockets: (tenant id, frames)."""
    monkeypatch.setattr(audience, "FRAMES_A_TURN", 3 * SOCKETS)
    done = []
    apply = batch.Batch.deliver

    def counted(self):
        sockets = [c for entry in self.audience.entries.values() for c in entry.connections]
        before = sum(len(socket_of(c).frames) for c in sockets)
        apply(self)
        done.append((self.audience.tenant_id, sum(len(socket_of(c).frames) for c in sockets) - before))

    monkeypatch.setattr(batch.Batch, "deliver", counted)
    return done


async def open_sockets(home, tenant, name, number):
    """Have an owner watch on so many sockets."""
    session = await home.write(make_session, await home.write(make_user, tenant, name, "owner"))
    return [await home.socket(session) for _ in range(number)]


def ids_of(sockets):
    return [[frame["id"] for frame in socket.of_type("user.created")] for socket in sockets]


async def test_much_news_for_many_sockets_goes_out_in_short_turns_and_others_come_between(turns):
    async with house() as home:
        acme, globex = await home.write(make_tenant, "acme"), await home.write(make_tenant, "globex")
        crowd = await open_sockets(home, acme, "alice", SOCKETS)
        (mallory,) = await open_sockets(home, globex, "mallory", 1)
        turns.clear()

        people = [Newcomer(f"p{number}") for number in range(PEOPLE)]
        await home.write(import_users, tenant=acme, people=people)
        await crowd[0].until(lambda s: s.heard_of)
        await home.write(make_user, globex, "grace")
        await mallory.until(lambda s: s.heard_of == ["grace"])
        for socket in crowd:
            await socket.until(lambda s: len(s.heard_of) == PEOPLE)

    assert ids_of(crowd) == [await asyncio.to_thread(log_of, acme, PEOPLE)] * SOCKETS
    of_acme = [frames for tenant, frames in turns if tenant == acme.pk and frames]
    assert (max(of_acme), sum(of_acme)) == (3 * SOCKETS, PEOPLE * SOCKETS)


STEPS = ["begin", "renew_rights", "project", "deliver", "catch_up"]


@pytest.mark.parametrize("crowd_at", [SOCKETS, SOCKETS + 2], ids=["a crowd", "two small tenants"])
async def test_small_tenants_take_their_steps_together_and_none_after_a_step_of_a_crowd(monkeypatch, crowd_at):
    monkeypatch.setattr(hub, "BREATHER_SOCKETS", crowd_at)
    take, taken = batch.Batch.take, []

    def told(self, step):
        taken.append((self.audience.tenant_id, step.__name__))
        return take(self, step)

    async with house() as home:
        acme, globex = await home.write(make_tenant, "acme"), await home.write(make_tenant, "globex")
        await open_sockets(home, acme, "alice", SOCKETS)
        await open_sockets(home, globex, "mallory", 1)
        await home.read_all()
        monkeypatch.setattr(batch.Batch, "take", told)
        for tenant in (acme, globex):
            home.hub.mark(tenant.pk)
        async with asyncio.timeout(10):
            while len(taken) < 2 * len(STEPS):  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)

    small, large = [[(tenant.pk, step) for step in STEPS] for tenant in (globex, acme)]
    together = [each for pair in zip(small, large, strict=True) for each in pair]
    assert taken[:10] == (small + large if crowd_at == SOCKETS else together)


async def test_one_socket_of_a_small_tenant_still_gets_all_in_one_turn(turns, monkeypatch):
    monkeypatch.setattr(audience, "FRAMES_A_TURN", 5_000)
    async with house() as home:
        globex = await home.write(make_tenant, "globex")
        (mallory,) = await open_sockets(home, globex, "mallory", 1)
        turns.clear()

        people = [Newcomer(f"p{number}") for number in range(MOST_FRAMES)]
        await home.write(import_users, tenant=globex, people=people)
        await mallory.until(lambda s: len(s.heard_of) == MOST_FRAMES)

    assert [frames for _, frames in turns if frames] == [MOST_FRAMES]


@pytest.mark.parametrize(("way", "length"), [(Way.WAITS_FIRST, 5), (Way.LANE, 40)], ids=["one by one", "joined"])
async def test_a_crowd_goes_further_in_one_turn_where_frames_leave_joined(way, length):
    crowd = Audience(1)
    for _ in range(1000):
        crowd.join(connection_to(Transport(way=way)))

    assert crowd.plan(0).tenant.length == length


async def test_who_catches_up_together_is_fed_a_few_at_a_time_and_nobody_is_left_out(monkeypatch):
    monkeypatch.setattr(audience, "FRAMES_A_TURN", 2 * PAGE)
    fed_in_one_turn = []
    feed, feed_one = batch.Batch.feed, batch.Batch._feed

    def counted(self):
        fed_in_one_turn.append(0)
        feed(self)

    def counted_one(self, *args):
        frames = feed_one(self, *args)
        fed_in_one_turn[-1] += frames
        return frames

    monkeypatch.setattr(batch.Batch, "feed", counted)
    monkeypatch.setattr(batch.Batch, "_feed", counted_one)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        session = await home.write(make_session, await home.write(make_user, acme, "alice", "owner"))
        (first,) = await home.write(log_of, acme, 1)
        people = [Newcomer(f"p{number}") for number in range(450)]
        await home.write(import_users, tenant=acme, people=people)

        sockets = [await home.socket(session, cursor=first) for _ in range(7)]
        for socket in sockets:
            await socket.until(lambda s: s.of_type("synced"))

    assert ids_of(sockets) == [await asyncio.to_thread(log_of, acme, 450)] * 7
    assert sum(fed_in_one_turn) == 7 * 450
    assert max(fed_in_one_turn) < 3 * PAGE, "the last page of a turn may go beyond"


async def test_what_many_missed_is_read_once_for_all_of_them(monkeypatch):
    """Each names another event as his last; what comes after these is in two stretches of the log."""
    asked, many = [], 20
    pages, enough = log.pages, threading.Event()

    def noted(wanted):
        asked.append(set(wanted))
        return pages(wanted)

    def read(plan, read=snapshot.read):
        enough.wait()
        return read(plan)

    monkeypatch.setattr(log, "pages", noted)
    monkeypatch.setattr(snapshot, "read", read)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        people = [Newcomer(f"p{number}") for number in range(PAGE + 50)]
        await home.write(import_users, tenant=acme, people=people)
        session = await home.write(make_session, await home.write(make_user, acme, "alice", "owner"))
        ids = await home.write(log_of, acme, 100)
        identity = await home.write(identity_of, session)
        sockets = [home.enter(identity, cursor=ids[5 * number]) for number in range(many)]
        enough.set()
        for socket in sockets:
            await socket.until(lambda s: s.of_type("synced"))

    assert ids_of(sockets) == [ids[5 * number + 1 :] for number in range(many)]
    assert set().union(*asked) == {(acme.pk, 0, PAGE), (acme.pk, PAGE, PAGE)}
    assert sum(map(len, asked)) == 3, "the second once more, for those who began in the first"


def log_of(tenant, number):
    """Return the ids of the last so many events of a tenant, in order."""
    rows = Event.objects.filter(tenant=tenant).order_by("-position").values_list("id", flat=True)
    return [str(identity) for identity in reversed(rows[:number])]


async def test_who_sees_otherwise_is_found_out_beside_the_loop(monkeypatch):
    found_on = []
    real = changes.who_sees_otherwise

    def noted(*args):
        found_on.append(threading.current_thread())
        return real(*args)

    monkeypatch.setattr(changes, "who_sees_otherwise", noted)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        bob = await home.write(make_user, acme, "bob", "viewer")
        socket = await home.socket(await home.write(make_session, bob))
        role = await home.write(lambda: Role.objects.get(tenant=acme, name="viewer"))
        await home.write(assign_perm, VIEW_USER_CONTACT, await home.write(lambda: role.group), bob)
        await home.read_all()
        await socket.until(lambda s: s.of_type("rights.changed"))

    assert found_on
    assert threading.main_thread() not in found_on, "the loop's"


@pytest.mark.parametrize(("tenants", "milliseconds"), [(1, 5), (8, 5), (16, 10), (32, 20), (5_000, 20)])
def test_the_more_tenants_a_batch_had_the_longer_the_next_one_waits_within_bounds(tenants, milliseconds):
    assert hub.seconds_apart(tenants) * 1000 == pytest.approx(milliseconds)
