"""Housekeeping: each chore is done by one process at a time, however many there are, and harms nobody when it fails."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.db.models.functions import Now

from realtime import chores, housekeeping
from realtime.chores import Chore
from realtime.housekeeping import Housekeeper
from realtime.models import ChoreClaim

pytestmark = pytest.mark.usefixtures("database")
each_database = pytest.mark.each_database
HOUR = 3600.0


@pytest.fixture(autouse=True)
def _no_other_chores(monkeypatch):
    monkeypatch.setattr(chores, "_chores", {})
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS", 0.0)


def keep(*steps, name="dust"):
    """Register a chore whose steps remove so many; returns the list of the steps that were done."""
    done = []

    def clean():
        for step in steps:
            done.append(step)
            yield step

    chores.register(Chore(name, clean))
    return done


def lapse():
    """Let the time pass until everything is due."""
    ChoreClaim.objects.update(until=Now() - timedelta(seconds=1))


@each_database
def test_a_chore_is_done_step_by_step_and_then_not_until_it_is_due_again(caplog):
    caplog.set_level(logging.INFO)
    done = keep(500, 500, 3)
    housekeeper = Housekeeper(every_seconds=HOUR)

    housekeeper.do_what_is_due()
    housekeeper.do_what_is_due()

    assert done == [500, 500, 3]
    assert [record.getMessage() for record in caplog.records] == ["housekeeping has removed 1003 dust"]
    lapse()
    housekeeper.do_what_is_due()
    assert done == [500, 500, 3] * 2


@each_database
def test_its_next_round_is_due_when_it_comes_round_and_not_before():
    keep(1)
    Housekeeper(every_seconds=HOUR).do_what_is_due()

    until = ChoreClaim.objects.filter(until__gt=Now() + timedelta(seconds=0.79 * HOUR))
    assert until.filter(until__lt=Now() + timedelta(seconds=0.81 * HOUR)).exists(), (
        "rounds come after 0.9 of it or later"
    )


@each_database
def test_of_eight_that_come_at_once_one_does_it():
    meet, inside = threading.Barrier(8), []

    def clean():
        for _ in range(3):
            inside.append(threading.get_ident())
            yield 1

    chores.register(Chore("dust", clean))

    def come(_):
        meet.wait()
        Housekeeper(every_seconds=HOUR).do_what_is_due()

    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(come, range(8)))

    assert len(inside) == 3
    assert len(set(inside)) == 1


def test_what_was_claimed_by_a_process_that_was_killed_is_done_by_another(monkeypatch):
    done = keep(1)
    killed = Housekeeper(every_seconds=HOUR)
    killed._claim(chores.registered()[0])

    Housekeeper(every_seconds=HOUR).do_what_is_due()
    assert done == [], "it may be at it still"

    lapse()
    Housekeeper(every_seconds=HOUR).do_what_is_due()
    assert done == [1]


def test_whose_claim_was_taken_over_goes_on_no_further():
    other, done = Housekeeper(every_seconds=HOUR), []

    def clean():
        for step in range(3):
            done.append(step)
            if len(done) == 1:  # so slow that the claim lapses
                lapse()
                other._claim(chores.registered()[0])
            yield 1

    chores.register(Chore("dust", clean))
    Housekeeper(every_seconds=HOUR).do_what_is_due()

    assert done == [0]
    assert ChoreClaim.objects.get().holder == other._holder


def test_a_failure_is_one_line_and_stops_no_other_chore(caplog):
    def clean():
        yield 1
        raise DatabaseError("deadlock detected\nDETAIL: much more")

    chores.register(Chore("dust", clean))
    done = keep(2, name="ashes")
    housekeeper = Housekeeper(every_seconds=HOUR)

    housekeeper.do_what_is_due()

    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.getMessage() == "housekeeping of dust failed (DatabaseError: deadlock detected); it is tried again"
    assert record.exc_info is None
    assert done == [2]


def test_with_the_database_away_it_is_one_line_too(caplog, monkeypatch):
    keep(1)

    def away(*_, **__):
        raise DatabaseError("the connection was refused")

    monkeypatch.setattr(ChoreClaim.objects, "bulk_create", away)
    Housekeeper(every_seconds=HOUR).do_what_is_due()

    (record,) = caplog.records
    assert (
        record.getMessage()
        == "housekeeping of dust failed (DatabaseError: the connection was refused); it is tried again"
    )


def test_a_server_that_goes_ends_after_the_step_and_leaves_the_rest_to_others():
    done, leaving = [], Housekeeper(every_seconds=HOUR)

    def clean():
        for step in range(3):
            done.append(step)
            if len(done) == 1:
                leaving._leaving.set()
            yield 1

    chores.register(Chore("dust", clean))
    leaving.do_what_is_due()
    assert done == [0]

    Housekeeper(every_seconds=HOUR).do_what_is_due()
    assert done == [0, 0, 1, 2], "without waiting for the claim to lapse"


def test_it_runs_in_a_thread_of_its_own_round_after_round_until_it_is_stopped():
    rounds = threading.Semaphore(0)

    def clean():
        lapse()
        rounds.release()
        yield 0

    chores.register(Chore("dust", clean))
    housekeeper = Housekeeper(every_seconds=0.01)
    housekeeper.start()
    for _ in range(3):
        assert rounds.acquire(timeout=60)

    housekeeper.stop()

    assert not housekeeper._thread.is_alive()
    assert housekeeper._thread.daemon, "the exit never waits for it"


def test_it_leaves_no_connection_behind():
    keep(1)
    Housekeeper(every_seconds=HOUR).do_what_is_due()

    assert connections["default"].connection is None
