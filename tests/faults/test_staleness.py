"""The judge of revocations: what it calls stale, wrong, lost or out of order, and what it lets pass."""

import pytest

from tests.faults.sequence import Change, Model
from tests.faults.staleness import Event, judge
from tests.faults.watchers import Watch, Watcher

PUBLIC = ["id", "username", "full_name", "joined_via", "joined_at"]
EARLY, LATE = Event("1", 1, "dave", rights=10, began=5.0), Event("2", 2, "erin", rights=11, began=15.0)
LAST = Event("3", 3, "last", rights=12, began=25.0)


@pytest.fixture
def model():
    """Bob is a viewer, leaves that role with the change 11 and is in it again with the change 12."""
    model = Model({"bob": ("group:1",)})
    model.first |= {("active", "bob"): True, ("alive", "s"): True, ("watch", "group:1"): True, ("watch", "bob"): True}
    model.first["member", "bob", "group:1"] = True
    model.first |= {("held", "group:1", event.subject): frozenset(["view_user"]) for event in (EARLY, LATE, LAST)}
    model.changes.append(Change(12, 20.0, 21.0, {("member", "bob", "group:1"): True}))
    model.changes.append(Change(11, 10.0, 11.0, {("member", "bob", "group:1"): False}))
    model.settle()
    return model


def told(model, *frames, opened=0.0):
    """Judge Bob's one socket, on which these came: (event, when, fields)."""
    bob = Watcher("bob", None, None)
    received = [(at, {"id": event.id, "data": dict.fromkeys(fields)}) for event, at, fields in frames]
    bob.watches.append(Watch("s", opened, opened, received))
    return judge(model, [bob], {event.id: event for event in (EARLY, LATE, LAST)})


def names_of(findings):
    """What was found that must not be."""
    return {name for name in ("stale", "wrong", "lost", "disorder") if findings.counts[name]}


def test_what_was_allowed_at_the_time_passes(model):
    findings = told(model, (EARLY, 6.0, PUBLIC), (LAST, 26.0, PUBLIC))

    assert findings.is_clean, findings.examples
    assert findings.counts["frames"] == 2


def test_an_event_that_came_before_the_right_was_back_is_stale(model):
    assert names_of(told(model, (EARLY, 6.0, PUBLIC), (LATE, 16.0, PUBLIC))) == {"stale"}


def test_an_event_may_be_shown_by_a_right_that_came_back_before_it_was_sent(model):
    assert told(model, (EARLY, 6.0, PUBLIC), (LATE, 22.0, PUBLIC)).is_clean


def test_the_opening_of_the_socket_is_a_bound_too(model):
    assert names_of(told(model, (EARLY, 16.0, PUBLIC), opened=12.0)) == {"stale"}


def test_a_field_too_many_or_too_few_is_wrong(model):
    assert names_of(told(model, (EARLY, 6.0, [*PUBLIC, "email"]))) == {"wrong"}
    assert names_of(told(model, (EARLY, 6.0, PUBLIC[1:]))) == {"wrong"}


def test_what_was_owed_and_passed_over_is_lost(model):
    assert names_of(told(model, (LATE, 22.0, PUBLIC), (LAST, 26.0, PUBLIC))) == set(), "he had left before it came"
    model.changes.clear()
    model.changes.append(Change(11, 0.0, 0.5, {}))
    model.settle()

    assert names_of(told(model, (LATE, 16.0, PUBLIC), (LAST, 26.0, PUBLIC))) == {"lost"}


def test_an_event_after_a_later_one_is_disorder(model):
    assert names_of(told(model, (LAST, 26.0, PUBLIC), (EARLY, 27.0, PUBLIC))) == {"disorder"}


def test_who_is_deactivated_or_without_session_or_right_to_watch_sees_nothing(model):
    assert model.view("bob", "s", "dave", 10) == frozenset(PUBLIC)
    for fact in (("active", "bob"), ("alive", "s")):
        before, model.first[fact] = model.first[fact], False
        assert model.view("bob", "s", "dave", 10) is None, fact
        model.first[fact] = before
    model.first["watch", "bob"] = model.first["watch", "group:1"] = False
    assert model.view("bob", "s", "dave", 10) is None
