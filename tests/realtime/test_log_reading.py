"""Reading the log: pages of many tenants at once, events by id, and counting what somebody hears of."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.kinds import USER_CREATED
from accounts.models import User
from realtime import log
from realtime.log import PAGE, EventDraft
from realtime.models import Event
from tests.realtime.house import make_tenant, make_user

pytestmark = pytest.mark.usefixtures("database")
each_database = pytest.mark.each_database


@pytest.fixture
def acme(database):
    return make_tenant("acme")


def draft(name="dave"):
    return EventDraft(kind="user.created", subject_id=uuid4(), snapshot={"username": name}, at=datetime.now(UTC))


def append(tenant, *events):
    with transaction.atomic():
        return log.append(tenant_id=tenant.pk, events=events)


@each_database
def test_pages_are_as_long_as_asked_for_and_read_in_one_query(acme, django_assert_num_queries):
    globex = make_tenant("globex")
    append(acme, *(draft(str(number)) for number in range(1, PAGE + 6)))
    append(globex, draft("hank"))
    wanted = [(acme.pk, 0, PAGE), (acme.pk, 0, 3), (acme.pk, PAGE, PAGE), (acme.pk, 999, PAGE), (globex.pk, 0, 1)]

    with django_assert_num_queries(1):
        pages = log.pages(wanted)

    assert {page: [event.position for event in events] for page, events in pages.items()} == {
        (acme.pk, 0, PAGE): list(range(1, 201)),
        (acme.pk, 0, 3): [1, 2, 3],
        (acme.pk, PAGE, PAGE): list(range(201, 206)),
        (acme.pk, 999, PAGE): [],
        (globex.pk, 0, 1): [1],
    }
    assert {event.tenant_id for event in pages[globex.pk, 0, 1]} == {globex.pk}


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

    ((read,),) = log.pages([(acme.pk, 0, PAGE)]).values()

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
