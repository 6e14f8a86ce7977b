"""
64 writers at once in one tenant: some commit, some hold the log for a while, some take everything back.

Those who read meanwhile read as the hub does: by its own snapshot, from the position they have reached. Whoever reads
so must never find a hole, since it would never come back to fill it.
"""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.db import connections, transaction

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
    else:
        # SQLite has one writer at a time, and the others wait in no order: one may be passed by all others for long.
        options["timeout"] = PATIENCE_SECONDS
    return make_tenant("acme")


def newcomer(tenant: Tenant, name: str) -> UUID:
    return create_user(tenant=tenant, username=name, joined_via=JoinedVia.COMMAND).pk


def write(tenant: Tenant, writer: int, turns: int, seed: int, start: threading.Barrier, done: Done) -> None:
    chance = random.Random(seed * WRITERS + writer)
    start.wait()
    try:
        for turn in range(turns):
            _one_transaction(tenant, f"w{writer}-{turn}", chance, done)
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


def read(tenant: Tenant, chance: random.Random, until: threading.Event) -> tuple[list[tuple[int, UUID]], int]:
    """Return what a reader has been given, position by position, and how often it had to jump over one."""
    seen: list[tuple[int, UUID]] = []
    position = skipped = 0
    try:
        while True:
            is_last_turn = until.is_set()
            while True:
                plan = TenantPlan(tenant.pk, rights=None, position=position, viewers={})
                answer = snapshot.read(Plan((plan,)))
                head = answer.tenants[tenant.pk].head
                page = answer.pages.get((tenant.pk, position, plan.length), [])
                reached = min(position + 200, head)
                skipped += [event.position for event in page] != list(range(position + 1, reached + 1))
                seen += [(event.position, event.subject_id) for event in page]
                position = reached
                if position == head:
                    break
            if is_last_turn:
                return seen, skipped
            time.sleep(chance.uniform(0, PAUSE_SECONDS))
    finally:
        connections.close_all()


@pytest.mark.timeout(600)
def test_64_writers_with_rollbacks_and_held_transactions(acme, database, scale, seed, conclude):
    turns = scale.of(short=2, long=30)
    start, over, done = threading.Barrier(WRITERS), threading.Event(), Done()

    with ThreadPoolExecutor(WRITERS + READERS) as threads:
        readers = [threads.submit(read, acme, random.Random(seed + number), over) for number in range(READERS)]
        writers = [threads.submit(write, acme, number, turns, seed, start, done) for number in range(WRITERS)]
        for writer in writers:
            writer.result()
        over.set()
        readings = [reader.result() for reader in readers]

    log = list(Event.objects.filter(tenant=acme).order_by("position").values_list("position", "subject_id"))
    subjects = Counter(subject for _, subject in log)
    wrong = {
        "holes": sum(place != position for place, (position, _) in enumerate(log, start=1)),
        "lost": sum(subjects[user] != 1 for user in done.committed),
        "of rolled back": sum(subjects[user] for user in done.taken_back),
        "skipped by readers": sum(skipped + (seen != log) for seen, skipped in readings),
        "violations of check_log": len(log_check.violations()),
    }
    conclude(
        f"64 writers in one tenant, {database.vendor}",
        done=f"{WRITERS} writers, {turns} transactions each, with rollbacks, savepoints and held locks; "
        f"{READERS} readers that poll as the hub does",
        bound="positions contiguous in commit order, nothing skipped",
        measured={"committed": len(done.committed), "rolled back": len(done.taken_back), "held": done.held, **wrong},
        holds=not any(wrong.values())
        and Head.objects.get(tenant=acme).position == len(log) == len(done.committed)
        and done.held > 0,
    )
