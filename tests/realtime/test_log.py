"""The log: contiguous and in commit order whoever writes at once, without holes, and read in pages."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connections, transaction

from accounts.kinds import USER_CREATED
from accounts.models import User
from realtime import log
from realtime.kinds import UnknownKind
from realtime.log import PAGE, EventDraft
from realtime.models import Event
from tenants.models import Head
from tests.realtime.house import make_tenant, make_user

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
    (events,) = log.pages([(acme.pk, 1)]).values()
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


def test_outside_a_transaction_nothing_is_appended(acme):
    with pytest.raises(transaction.TransactionManagementError, match="open transaction.atomic"):
        log.append(tenant_id=acme.pk, events=[draft()])

    assert positions(acme) == []


def test_a_kind_that_nobody_declared_is_refused_before_anything_is_written(acme):
    with transaction.atomic(), pytest.raises(UnknownKind, match="event kind is 'user.vanished'"):
        log.append(tenant_id=acme.pk, events=[draft(), draft(kind="user.vanished")])

    assert positions(acme) == []
    assert not Head.objects.filter(tenant=acme).exists()


@each_database
def test_pages_are_200_positions_long_and_read_in_one_query(acme, django_assert_num_queries):
    globex = make_tenant("globex")
    append(acme, *(draft(str(number)) for number in range(1, PAGE + 6)))
    append(globex, draft("hank"))
    wanted = [(acme.pk, 0), (acme.pk, 2), (acme.pk, PAGE), (acme.pk, 999), (globex.pk, 0)]

    with django_assert_num_queries(1):
        pages = log.pages(wanted)

    assert {page: [event.position for event in events] for page, events in pages.items()} == {
        (acme.pk, 0): list(range(1, 201)),
        (acme.pk, 2): list(range(3, 203)),
        (acme.pk, PAGE): list(range(201, 206)),
        (acme.pk, 999): [],
        (globex.pk, 0): [1],
    }
    assert {event.tenant_id for event in pages[globex.pk, 0]} == {globex.pk}


def test_no_pages_are_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert log.pages([]) == {}
        assert log.find([]) == {}


@each_database
def test_what_is_read_is_what_was_written(acme):
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    snapshot = {"username": 'zoë 🎈 "quoted" \'; --', "nothing": None, "number": 1, "deep": {"list": [True]}}
    written = EventDraft(kind="user.created", subject_id=uuid4(), snapshot=snapshot, at=at)
    append(acme, written)

    ((read,),) = log.pages([(acme.pk, 0)]).values()

    row = Event.objects.get()
    assert (read.id, read.subject_id, read.kind) == (row.pk, written.subject_id, "user.created")
    assert (read.snapshot, read.at, read.tenant_id, read.position) == (snapshot, at, acme.pk, 1)
    assert log.find([row.pk]) == {row.pk: read}


def test_events_are_found_by_id_of_whichever_tenant_and_unknown_ones_are_not(acme, django_assert_num_queries):
    globex = make_tenant("globex")
    append(acme, draft())
    append(globex, draft())
    ids = set(Event.objects.values_list("pk", flat=True))

    with django_assert_num_queries(1):
        found = log.find([*ids, uuid4()])

    assert set(found) == ids
    assert {event.tenant_id for event in found.values()} == {acme.pk, globex.pk}


@each_database
def test_counting_counts_what_is_heard_of_after_a_position_and_stops_at_the_most(acme):
    people = [make_user(acme, f"user {number}") for number in range(6)]
    heard = {USER_CREATED.name: User.objects.filter(pk__in=[p.pk for p in people[1:5]]).values("pk")}

    assert log.count(tenant_id=acme.pk, after=0, heard=heard, most=100) == 4
    assert log.count(tenant_id=acme.pk, after=3, heard=heard, most=100) == 2
    assert log.count(tenant_id=acme.pk, after=0, heard=heard, most=3) == 3
    assert log.count(tenant_id=acme.pk, after=0, heard={}, most=100) == 0
    assert log.count(tenant_id=acme.pk, after=0, heard={"user.renamed": heard["user.created"]}, most=100) == 0
