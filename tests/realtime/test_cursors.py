"""Where somebody who comes back begins to read, and all the cursors that get the same answer: not known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from accounts import grants
from accounts.permissions import VIEW_USER
from realtime import cursors, log, rights
from realtime.cursors import Resumption, parse, resolve
from realtime.identity import new_id
from realtime.models import Event
from tests.aging import age
from tests.realtime.house import make_session, make_tenant, make_user, viewer_now

ONE = "01900000-0000-7000-8000-00000000000a"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "latest",
        "null",
        ONE.upper(),
        ONE.replace("-", ""),
        f"{{{ONE}}}",
        f"urn:uuid:{ONE}",
        f" {ONE}",
        f"{ONE}\n",
        f"{ONE}\x00",
        ONE[:-1],
        f"{ONE}0",
        ONE.replace("7", "\N{FULLWIDTH DIGIT SEVEN}"),
        "x" * 100_000,
        "9" * 5_000,
    ],
)
def test_a_cursor_that_is_not_spelt_as_an_id_is_none(cursor):
    assert parse(cursor) is None


def test_an_id_in_its_one_spelling():
    assert parse(ONE) == UUID(ONE)
    assert str(parse(ONE)) == ONE


class TestResolving:
    """Against a log of ten people, whom Bob sees all."""

    @pytest.fixture(autouse=True)
    def _people(self, database):
        self.kept = timedelta(days=7)
        self.acme = make_tenant("acme")
        self.bob = make_session(make_user(self.acme, "bob", "viewer"))  # position 1
        self.people = [make_user(self.acme, f"user {number}") for number in range(2, 11)]

    def ask(self, event_id, *, session=None, head=10):
        session = session or self.bob
        _, viewer = viewer_now(session)
        resumption = Resumption(viewer.tenant_id, session.pk, event_id)
        mark = log.find([event_id]).get(event_id) if event_id else None
        subjects = [mark.subject_id] if mark else []
        grants_read = {"accounts.User": rights.grants_on("accounts.User", subjects)}
        return resolve(
            resumption, mark, viewer=viewer, grants=grants_read, head=head, kept=self.kept, now=datetime.now(UTC)
        )

    def at(self, position):
        return Event.objects.get(tenant=self.acme, position=position).pk

    def test_a_known_event_is_its_position(self):
        assert [self.ask(self.at(position)) for position in (1, 5, 10)] == [1, 5, 10]

    @pytest.mark.parametrize("event_id", [None, new_id(), uuid4()])
    def test_no_event_of_that_id(self, event_id):
        assert self.ask(event_id) == "unknown_cursor"

    def test_an_event_of_another_tenant_even_one_that_was_granted(self):
        hank = make_user(make_tenant("globex"), "hank")
        _grant_across_tenants(hank, self.bob.user)

        assert self.ask(Event.objects.get(subject_id=hank.pk).pk) == "unknown_cursor"

    def test_an_event_that_this_viewer_may_not_hear_of_now(self):
        hidden = self.people[3]
        for grant in hidden.grants_to_groups.all():
            grants.take_grant(grant)
        event_id = Event.objects.get(subject_id=hidden.pk).pk
        assert self.ask(event_id) == "unknown_cursor"

        grants.give_grant(subject=hidden, permission=VIEW_USER, to=self.bob.user)
        assert self.ask(event_id) == 5, "granted later is visible"

    def test_an_event_of_somebody_who_was_erased(self):
        event_id = self.at(5)
        self.people[3].delete()

        assert self.ask(event_id) == "unknown_cursor"

    @pytest.mark.parametrize("days", [1, 7, 90])
    def test_the_retention_counts_by_the_time_in_the_id_whether_or_not_the_row_is_there(self, days):
        self.kept = timedelta(days=days)

        (within,) = age(self.acme.pk, range(5, 6), timedelta(days=days) - timedelta(minutes=1))
        assert self.ask(within) == 5
        (beyond,) = age(self.acme.pk, range(5, 6), timedelta(days=days) + timedelta(minutes=1))
        assert self.ask(beyond) == "unknown_cursor"

    def test_an_id_of_a_time_to_come_but_for_clocks_that_differ(self):
        (by_another_clock,) = age(self.acme.pk, range(5, 6), -timedelta(minutes=4))
        assert self.ask(by_another_clock) == 5

        (to_come,) = age(self.acme.pk, range(5, 6), -timedelta(minutes=6))
        assert self.ask(to_come) == "unknown_cursor"

    def test_an_id_without_a_time(self):
        timeless = uuid4()
        Event.objects.filter(position=5).update(id=timeless)

        assert self.ask(timeless) == "unknown_cursor"

    def test_nobody(self):
        resumption = Resumption(self.acme.pk, self.bob.pk, self.at(5))
        mark = log.find([self.at(5)])[self.at(5)]

        asked = resolve(resumption, mark, viewer=None, grants={}, head=10, kept=self.kept, now=datetime.now(UTC))

        assert asked == "unknown_cursor"

    @pytest.mark.each_database
    def test_more_than_the_most_that_is_visible_is_too_many(self, monkeypatch):
        monkeypatch.setattr(cursors, "MOST_VISIBLE", 5)

        assert [self.ask(self.at(position)) for position in (6, 5, 4, 3)] == [6, 5, "too_many", "too_many"]

    def test_what_is_hidden_does_not_count_among_them(self, monkeypatch):
        monkeypatch.setattr(cursors, "MOST_VISIBLE", 5)
        for grant in self.people[8].grants_to_groups.all():
            grants.take_grant(grant)

        assert [self.ask(self.at(position)) for position in (4, 3)] == [4, "too_many"]

    def test_nothing_is_counted_while_it_cannot_matter(self, django_assert_num_queries):
        event_id = self.at(1)
        mark = log.find([event_id])[event_id]
        _, viewer = viewer_now(self.bob)
        held = {"accounts.User": rights.grants_on("accounts.User", [mark.subject_id])}

        with django_assert_num_queries(0):
            resolve(
                Resumption(self.acme.pk, self.bob.pk, event_id),
                mark,
                viewer=viewer,
                grants=held,
                head=10_001,
                kept=self.kept,
                now=datetime.now(UTC),
            )


def test_the_bound_is_that_of_the_protocol_page():
    assert cursors.MOST_VISIBLE == 10_000


def _grant_across_tenants(subject, user):
    from guardian.shortcuts import assign_perm

    assign_perm(VIEW_USER, user, subject)
