"""
64 writers at once in one tenant: some commit, some hold the log for a while, some take everything back.

Those who read meanwhile read as the hub does: by its own snapshot, from the position they have reached. Whoever reads
so must never find a hole, since it would never come back to fill it. In which order they committed the database knows,
and is asked in the end.
"""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from accounts import log_check
from accounts.models import JoinedVia
from accounts.users import create_user
from realtime import snapshot
from realtime.models import Event
from realtime.snapshot import Plan, TenantPlan
from tenants.models import Head, Tenant
from tests.realtime.house import make_tenant

WRITERS, READERS = 64, 3
HELD_SECONDS = 0.03
PATIENCE_SECONDS = 300
"""For the log's lock: on a busy machine 63 others may come first. Whoever waits longer fails, and does not hang."""
PAUSE_SECONDS = 0.05
"""Between two readings, at most: readers that never pause leave the writers, who share their process, half of it."""

pytestmark = pytest.mark.each_database


class ChangedMind(Exception):
    """A transaction that ends in a rollback."""


@dataclass
class Done:
    """What the writers have committed, and what they have taken back."""

    committed: list[UUID] = field(default_factory=list)
    taken_back: list[UUID] = field(default_factory=list)
    held: int = 0


@pytest.fixture
def acme(database):
    options = connections.settings["default"]["OPTIONS"]
    if database.vendor == "postgresql":
        # One connection for each writer: the product's pool would let no more than 20 of them write at once.
        options.pop("pool")
        options["options"] = f"-c lock_timeout={PATIENCE_SECONDS}s"
    else:
        # SQLite has one writer at a time, and the others wait in no order: one may be passed by all others for long.
        options["timeout"] = PATIENCE_SECONDS
    return make_tenant("acme")


def newcomer(tenant: Tenant, name: str) -> UUID:
    return create_user(tenant=tenant, username=name, joined_via=JoinedVia.COMMAND).pk


@dataclass
class Writers:
    """All of them: ``start`` is when they begin together, ``over`` when nobody is to write any more."""

    turns: int
    seed: int
    start: threading.Barrier = field(default_factory=lambda: threading.Barrier(WRITERS))
    over: threading.Event = field(default_factory=threading.Event)
    done: Done = field(default_factory=Done)

    def write(self, tenant: Tenant, number: int) -> None:
        """Have one of them do all its transactions, or those that it can do before it is over."""
        chance = random.Random(self.seed * WRITERS + number)
        self.start.wait()
        try:
            for turn in range(self.turns):
                if self.over.is_set():  # another has failed
                    return
                _one_transaction(tenant, f"w{number}-{turn}", chance, self.done)
        finally:
            connections.close_all()


def _one_transaction(tenant: Tenant, name: str, chance: random.Random, done: Done) -> None:
    made, lost = [], []
    try:
        with transaction.atomic():
            made += [newcomer(tenant, f"{name}-{number}") for number in range(chance.randint(1, 3))]
            if chance.random() < 0.2:  # a part of it is taken back, and the rest goes on
                try:
                    with transaction.atomic():
                        lost.append(newcomer(tenant, f"{name}-lost"))
                        raise ChangedMind
                except ChangedMind:
                    made.append(newcomer(tenant, f"{name}-instead"))
            if chance.random() < 0.15:
                done.held += 1
                time.sleep(chance.uniform(0, 2 * HELD_SECONDS))
            if chance.random() < 0.3:
                raise ChangedMind
    except ChangedMind:
        done.taken_back += made + lost
        return
    done.committed += made
    done.taken_back += lost


@dataclass
class Reading:
    """What one reader has been given, position by position; how often that was something, and with one left out."""

    seen: list[tuple[int, UUID]] = field(default_factory=list)
    pages: int = 0
    skipped: int = 0


def read(tenant: Tenant, chance: random.Random, until: threading.Event) -> Reading:
    reading, position = Reading(), 0
    try:
        while True:
            is_last_turn = until.is_set()
            while True:
                plan = TenantPlan(tenant.pk, rights=None, position=position, viewers={})
                answer = snapshot.read(Plan((plan,)))
                head = answer.tenants[tenant.pk].head
                page = answer.pages.get((tenant.pk, position, plan.length), [])
                reached = min(position + 200, head)
                reading.skipped += [event.position for event in page] != list(range(position + 1, reached + 1))
                reading.seen += [(event.position, event.subject_id) for event in page]
                reading.pages += bool(page)
                position = reached
                if position == head:
                    break
            if is_last_turn:
                return reading
            time.sleep(chance.uniform(0, PAUSE_SECONDS))
    finally:
        connections.close_all()


def out_of_order(tenant: Tenant) -> int:
    """Return how many events stand in the log right behind one that was committed later."""
    # SQLite has one writer at a time, so its rows are as old as their numbers say. PostgreSQL was told to keep times.
    commit = "pg_xact_commit_timestamp(xmin)" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {commit} FROM realtime_event WHERE tenant_id = %s ORDER BY position",
            [tenant.pk],
        )
        commits = [commit for (commit,) in cursor.fetchall()]
    return sum(later < earlier for earlier, later in pairwise(commits))


def write_and_read(tenant: Tenant, writers: Writers) -> list[Reading]:
    """Have all write while some read; return what these were given. Raises what any of them has raised."""
    with ThreadPoolExecutor(WRITERS + READERS) as threads:
        readers = [
            threads.submit(read, tenant, random.Random(writers.seed + number), writers.over)
            for number in range(READERS)
        ]
        try:
            for writer in [threads.submit(writers.write, tenant, number) for number in range(WRITERS)]:
                writer.result()
        finally:
            writers.over.set()  # else the readers would read for ever, and this would wait for them
        return [reader.result() for reader in readers]


def test_64_writers_with_rollbacks_and_held_transactions(acme, database, scale, seed, conclude):
    writers = Writers(turns=scale.of(short=2, long=20), seed=seed)
    readings, done = write_and_read(acme, writers), writers.done

    log = list(Event.objects.filter(tenant=acme).order_by("position").values_list("position", "subject_id"))
    subjects = Counter(subject for _, subject in log)
    wrong = {
        "holes": sum(place != position for place, (position, _) in enumerate(log, start=1)),
        "out of commit order": out_of_order(acme),
        "lost": sum(subjects[user] != 1 for user in done.committed),
        "of rolled back": sum(subjects[user] for user in done.taken_back),
        "skipped by readers": sum(reading.skipped + (reading.seen != log) for reading in readings),
        "violations of check_log": len(log_check.violations()),
    }
    conclude(
        f"64 writers in one tenant, {database.vendor}",
        done=f"{WRITERS} writers, {writers.turns} transactions each, with rollbacks, savepoints and held locks; "
        f"{READERS} readers that poll as the hub does",
        bound="positions contiguous in commit order, nothing skipped",
        measured={
            "committed": len(done.committed),
            "rolled back": len(done.taken_back),
            "held": done.held,
            "pages read meanwhile": [reading.pages for reading in readings],
            **wrong,
        },
        holds=not any(wrong.values())
        and Head.objects.get(tenant=acme).position == len(log) == len(done.committed)
        and bool(done.held and done.taken_back)
        and all(reading.pages > 1 for reading in readings),
    )


def test_a_writer_that_fails_ends_them_all(acme, seed):
    writers = Writers(turns=1000, seed=seed)
    del writers.done.committed  # so whoever commits first fails when it adds its own

    with pytest.raises(AttributeError):
        write_and_read(acme, writers)
