"""The log: contiguous and in commit order whoever writes at once, without holes, and read in pages."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from realtime import log
from realtime.kinds import UnknownKind
from realtime.log import EventDraft
from realtime.models import Event
from tenants.models import Head
from tests.realtime.house import make_tenant

pytestmark = pytest.mark.usefixtures("database")
each_database = pytest.mark.each_database

WRITERS, EACH = 8, 12


class ChangedMind(Exception):
    """A transaction that ends in a rollback."""


@pytest.fixture
def acme(database):
    return make_tenant("acme")


def draft(name="dave", kind="user.created"):
    return EventDraft(kind=kind, subject_id=uuid4(), snapshot={"username": name}, at=datetime.now(UTC))


def append(tenant, *events):
    with transaction.atomic():
        return log.append(tenant_id=tenant.pk, events=events)


def positions(tenant):
    return list(Event.objects.filter(tenant_id=tenant.pk).order_by("position").values_list("position", flat=True))


def test_positions_begin_at_1_and_each_tenant_has_its_own(acme):
    globex = make_tenant("globex")

    heads = [append(acme, draft()), append(acme, draft()), append(globex, draft()), append(acme, draft())]

    assert heads == [1, 2, 1, 3]
    assert (positions(acme), positions(globex)) == ([1, 2, 3], [1])


@each_database
def test_several_events_get_a_stretch_in_the_order_given_and_the_head_is_the_last(acme):
    append(acme, draft())

    assert append(acme, *(draft(name) for name in "abc")) == 4
    (events,) = log.pages([(acme.pk, 1, 200)]).values()
    assert [(event.position, event.snapshot["username"]) for event in events] == [(2, "a"), (3, "b"), (4, "c")]


@each_database
def test_a_rollback_leaves_no_hole(acme):
    append(acme, draft())
    with pytest.raises(ChangedMind), transaction.atomic():
        assert log.append(tenant_id=acme.pk, events=[draft(), draft()]) == 3
        raise ChangedMind

    assert append(acme, draft()) == 2
    assert positions(acme) == [1, 2]


def test_a_savepoint_that_is_rolled_back_leaves_none_either(acme):
    with transaction.atomic():
        log.append(tenant_id=acme.pk, events=[draft()])
        with pytest.raises(ChangedMind), transaction.atomic():
            log.append(tenant_id=acme.pk, events=[draft()])
            raise ChangedMind
        log.append(tenant_id=acme.pk, events=[draft()])

    assert positions(acme) == [1, 2]


@each_database
def test_eight_writers_at_once_make_one_contiguous_log_in_commit_order(acme):
    seen, done = [], threading.Event()

    def write(number):
        try:
            for turn in range(EACH):
                try:
                    with transaction.atomic():
                        log.append(tenant_id=acme.pk, events=[draft(str(number)) for _ in range(1 + turn % 3)])
                        if turn % 4 == 3:
                            raise ChangedMind
                except ChangedMind:
                    continue
        finally:
            connections.close_all()

    def read():
        try:
            while not done.is_set():
                seen.append(positions(acme))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        reader = threads.submit(read)
        writers = [threads.submit(write, number) for number in range(WRITERS)]
        wait(writers)
        done.set()
        for thread in (*writers, reader):
            thread.result()

    written = WRITERS * sum(1 + turn % 3 for turn in range(EACH) if turn % 4 != 3)
    assert positions(acme) == list(range(1, written + 1))
    assert Head.objects.get(tenant=acme).position == written
    # Committed in another order than numbered, some reader would have found a hole that was filled later.
    assert all(found == list(range(1, len(found) + 1)) for found in seen)


@each_database
def test_a_writer_holds_its_tenants_log_until_it_commits(acme):
    """A second writer gets no position while the first may still change its mind."""
    order = []

    def second():
        try:
            append(acme, draft())
            order.append("second committed")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            log.append(tenant_id=acme.pk, events=[draft()])
            waiting = threads.submit(second)
            order.append("first is about to commit")
        waiting.result()

    assert order == ["first is about to commit", "second committed"]
    assert positions(acme) == [1, 2]


@each_database
def test_logs_of_several_tenants_grow_by_the_same_statements_as_one(acme):
    globex = make_tenant("globex")
    append(globex, draft("first"))

    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        heads = log.append_to_each({globex.pk: [draft("b"), draft("c")], acme.pk: [draft("a")]})

    assert heads == {globex.pk: 3, acme.pk: 1}
    assert len(captured) == (1 if connection.vendor == "postgresql" else 2)
    found = log.pages([(tenant.pk, 0, 200) for tenant in (acme, globex)])
    assert [[(event.position, event.snapshot["username"]) for event in events] for events in found.values()] == [
        [(1, "a")],
        [(1, "first"), (2, "b"), (3, "c")],
    ]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_logs_are_locked_in_the_order_of_their_tenants_ids(acme):
    """Who waits for the first tenant's log has not locked the second's, whichever it names first."""
    globex = make_tenant("globex")

    def other():
        try:
            with transaction.atomic():
                return log.append_to_each({globex.pk: [draft()], acme.pk: [draft()]})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic(), connection.cursor() as cursor:
            log.append(tenant_id=acme.pk, events=[draft()])
            waiting = threads.submit(other)
            while not waiting.done():
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone() != (0,):
                    break
            # Locked already, this would be a deadlock, which PostgreSQL ends with an error.
            assert log.append(tenant_id=globex.pk, events=[draft()]) == 1
        assert waiting.result() == {globex.pk: 2, acme.pk: 2}


def test_nothing_to_append_is_refused(acme):
    with transaction.atomic(), pytest.raises(ValueError, match=rf"no events for the logs of tenants \[{acme.pk}\]"):
        log.append(tenant_id=acme.pk, events=[])


def test_outside_a_transaction_nothing_is_appended(acme):
    with pytest.raises(transaction.TransactionManagementError, match="open transaction.atomic"):
        log.append(tenant_id=acme.pk, events=[draft()])

    assert positions(acme) == []


def test_a_kind_that_nobody_declared_is_refused_before_anything_is_written(acme):
    with transaction.atomic(), pytest.raises(UnknownKind, match="event kind is 'user.vanished'"):
        log.append(tenant_id=acme.pk, events=[draft(), draft(kind="user.vanished")])

    assert positions(acme) == []
    assert not Head.objects.filter(tenant=acme).exists()
