"""
A thousand revocations and grants at 50 a second, against a model in which one follows the other.

Viewers lose and get back roles, the right to watch, their sessions, themselves, while users are created: alone, in the
transaction that changes a right, before or after the change, and in transactions that stay open while others commit.
"""

import asyncio
import time
from dataclasses import dataclass

import pytest

from accounts.models import User
from tenants.models import RightsCounter, Tenant
from tests.faults.changing import Changer, holder_of
from tests.faults.cluster import Cluster
from tests.faults.house import House
from tests.faults.ordering import note_order, noted_order
from tests.faults.play import THREADS, Play, log_in
from tests.faults.sequence import Change, Model
from tests.faults.staleness import Event, judge
from tests.faults.watchers import Watcher

PER_SECOND = 50
LEAST_PER_SECOND = 45
"""Made, of those asked for: the last ones' own time counts, too."""
ANYBODYS = "a session that lives"
DEFAULTS = {
    "owner": ("view_user", "view_user_contact", "view_user_origin"),
    "admin": ("view_user", "view_user_contact"),
    "viewer": ("view_user",),
    "auditor": ("view_user", "view_user_origin"),
    "trainee": (),
}
SETTLING_SECONDS = 40

pytestmark = pytest.mark.timeout(600)


@dataclass
class Played:
    """All that has happened."""

    model: Model
    changer: Changer
    watchers: list[Watcher]
    began: dict[str, float]
    seconds: float
    missing: list[str]


def test_no_event_is_shown_by_a_right_that_was_taken_before_it(
    scale, seed, databases, furnish, start_cluster, own_redis, conclude
):
    changes = scale.of(short=100, long=1000)
    url, house = furnish(tenants=1, viewers=scale.of(short=18, long=26))
    note_order(url)
    # What is done to the database rings no bell; so the servers look at the counters often.
    cluster = start_cluster("daphne", "uvicorn", DATABASE_URL=url, REDIS_URL=own_redis.url, USHER_SWEEP_SECONDS="0.1")
    with databases.using(url):
        played = asyncio.run(play_all(house, cluster, changes, seed))
    events = events_of(url, played)
    findings = judge(played.model, played.watchers, events)

    made, sockets = len(played.model.changes), sum(len(watcher.watches) for watcher in played.watchers)
    rate = made / played.seconds
    conclude(
        "Revocations and grants against a sequential model",
        done=f"{made} changes of rights, asked for at {PER_SECOND} a second and made at {rate:.0f}, "
        f"{len(events)} creations, {len(played.watchers)} viewers on {sockets} sockets, 2 servers",
        bound="no event shown by a right taken before it; every other one shown, with exactly the right fields"
        + scale.of(short="", long=f"; made at {LEAST_PER_SECOND} a second at least"),
        measured={**findings.counts, "without the last word": len(played.missing), "examples": findings.examples},
        holds=findings.is_clean
        and not played.missing
        and not cluster.complaints()
        and findings.counts["owed"] > changes
        and made >= changes
        and rate >= scale.of(short=0, long=LEAST_PER_SECOND),
    )


async def play_all(house: House, cluster: Cluster, changes: int, seed: int) -> Played:
    """Have it all happen, and return what is known of it."""
    model, tenant = await asyncio.to_thread(model_of, house)
    changer = await asyncio.to_thread(Changer, tenant, model, seed)
    watchers = [watcher_of(seat.user, cluster, changer) for seat in house.seats]
    watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    _, token = await asyncio.to_thread(log_in, house.seats[0].user, changer)
    play = Play(changer, watchers, cluster.nodes[0].front, token)
    try:
        await all_synced(watchers, watching)
        base = await asyncio.to_thread(counter_of, tenant)
        seconds = await take_place(play, changes)
        final = await asyncio.to_thread(counter_of, tenant)
        settle(model, changer, play, base, final)
        missing = await last_words(play, model, final)
    finally:
        for task in watching:
            task.cancel()
        ended = await asyncio.gather(*watching, return_exceptions=True)
        await play.end()
    faults = [error for error in ended if not isinstance(error, asyncio.CancelledError)]
    assert not faults, faults
    return Played(model, changer, watchers, play.began, seconds, missing)


async def take_place(play: Play, changes: int) -> float:
    """Have everything happen at its time, as far as the machine keeps up; return the seconds that it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    places = asyncio.Semaphore(min(THREADS, len(play.watchers) - 1))

    async def change(number: int) -> None:
        async with places:
            await play.change(number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(changes):
            await asyncio.sleep(max(0.0, began + number / PER_SECOND - loop.time()))
            tasks.create_task(change(number))
            if play.random.random() < 0.25:
                tasks.create_task(play.create(f"plain-{number}"))
    return loop.time() - began


async def last_words(play: Play, model: Model, rights: int) -> list[str]:
    """Create users until everybody who may has seen one of them; return who has not in the end."""
    lasts: list[str] = []
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        name = f"last-{len(lasts)}"
        await play.create(name)
        lasts.append(await asyncio.to_thread(id_of, name))
        for role in play.changer.roles.values():
            model.first["held", holder_of(role), lasts[-1]] = frozenset(DEFAULTS[role.name])
        await asyncio.sleep(0.5)
        waiting = [
            w.user
            for w in play.watchers
            if model.view(w.user, ANYBODYS, lasts[-1], rights) is not None and not w.seen & set(lasts)
        ]
        if not waiting or time.monotonic() > deadline:
            return waiting


def settle(model: Model, changer: Changer, play: Play, base: int, final: int) -> None:
    """Give the changes that were made by REST their places, and put all in order."""
    own = [change.rights for change in model.changes]
    free = sorted(set(range(base + 1, final + 1)) - set(own))
    assert len(set(own)) == len(own), "each change has a counter value of its own"
    assert len(free) == len(play.by_rest), f"{len(play.by_rest)} changes by REST have {len(free)} values of the counter"
    for rights, (change, kind) in zip(free, play.by_rest, strict=True):
        changer.note(Change(rights, change.began, change.done, change.facts), kind)
    model.settle()


def events_of(url: str, played: Played) -> dict[str, Event]:
    """Return the events by id; what each role is given on their subjects becomes known to the model."""
    events = {}
    for event, position, subject, username, rights in noted_order(url):
        for role in played.changer.roles.values():
            played.model.first["held", holder_of(role), subject] = frozenset(DEFAULTS[role.name])
        events[event] = Event(event, position, subject, rights, played.began[username])
    return events


def model_of(house: House) -> tuple[Model, Tenant]:
    """Return what is true in the beginning."""
    tenant = Tenant.objects.get(slug=house.tenants[0])
    roles = {role.name: holder_of(role) for role in tenant.roles.all()}
    model = Model({seat.user: tuple(roles.values()) for seat in house.seats})
    for seat in house.seats:
        model.first["active", seat.user] = True
        for name, holder in roles.items():
            model.first["member", seat.user, holder] = name == seat.role
    model.first |= {("watch", holder): True for holder in roles.values()}
    model.first["alive", ANYBODYS] = True
    return model, tenant


def watcher_of(user: str, cluster: Cluster, changer: Changer) -> Watcher:
    """Return a viewer who logs in by himself."""
    return Watcher(user, cluster, lambda: log_in(user, changer))


def id_of(username: str) -> str:
    """Return the id of a user."""
    return str(User.objects.values_list("pk", flat=True).get(username=username))


def counter_of(tenant: Tenant) -> int:
    """Return the tenant's rights counter."""
    value: int = RightsCounter.objects.values_list("value", flat=True).get(tenant_id=tenant.pk)
    return value


async def all_synced(watchers: list[Watcher], watching: list["asyncio.Task[None]"], seconds: float = 60) -> None:
    """Wait until everybody's socket has all of the past; raise what ended a watcher's task, if something did."""
    try:
        async with asyncio.timeout(seconds):
            while waiting := [w for w in watchers if not (w.watches and w.watches[-1].synced)]:
                for task in watching:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.05)
    except TimeoutError:
        told = [([(watch.code, watch.synced) for watch in one.watches], dict(one.refusals)) for one in waiting]
        raise AssertionError(f"not synced after {seconds} s: {told}") from None
