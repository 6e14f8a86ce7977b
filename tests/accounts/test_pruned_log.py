"""A log that has lost its beginning to retention: nothing else is missing, and nobody's row has changed."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from accounts.log_check import violations
from accounts.models import User
from realtime.models import Event
from tenants.models import Tenant
from tests.aging import age

pytestmark = pytest.mark.each_database
DAY = timedelta(days=1)


@pytest.fixture
def aged_house(house):
    """The house, whose people of acme have joined, all but Carol, nine days ago: the last of them at position 4."""
    age(house.acme.pk, range(1, 5), 9 * DAY)
    for user in User.objects.filter(tenant=house.acme).exclude(username="carol"):
        User.objects.filter(pk=user.pk).update(joined_at=user.joined_at - 9 * DAY)
    return house


def positions(house):
    return list(Event.objects.filter(tenant=house.acme).order_by("position").values_list("position", flat=True))


def test_the_command_says_what_it_has_removed(aged_house, capsys):
    call_command("prune_log")

    assert capsys.readouterr().out == "acme: 4 events older than 7 days removed\n"
    assert positions(aged_house) == [5]
    call_command("prune_log")
    assert capsys.readouterr().out == "No event is older than its tenant keeps it.\n"


def test_a_dry_run_removes_nothing(aged_house, capsys):
    call_command("prune_log", dry_run=True)

    assert capsys.readouterr().out == "acme: 4 events older than 7 days would be removed\n"
    assert positions(aged_house) == [1, 2, 3, 4, 5]


def test_of_one_tenant_alone(aged_house, capsys):
    call_command("prune_log", tenant="globex")
    assert capsys.readouterr().out == "No event is older than its tenant keeps it.\n"

    call_command("prune_log", tenant="acme")
    assert "acme: 4 events" in capsys.readouterr().out
    with pytest.raises(CommandError, match="the tenant is 'acmee'; expected one of: acme, globex"):
        call_command("prune_log", tenant="acmee")


def test_check_log_misses_nobody_whose_event_was_pruned(aged_house, capsys):
    call_command("prune_log")

    assert violations() == []
    call_command("check_log")
    assert "The log is whole" in capsys.readouterr().out


def test_check_log_misses_nobody_when_all_is_pruned(aged_house):
    age(aged_house.acme.pk, range(5, 6), 9 * DAY)
    User.objects.filter(username="carol").update(joined_at=aged_house.user("alice").joined_at)
    call_command("prune_log")

    assert positions(aged_house) == []
    assert violations() == []


def test_check_log_still_misses_who_is_younger_than_what_is_kept(aged_house):
    call_command("prune_log")
    Event.objects.filter(subject_id=aged_house.id("mallory")).delete()
    aged_house.add("dave")
    Event.objects.filter(tenant=aged_house.acme, position=6).delete()
    User.objects.filter(username="dave").update(joined_at=aged_house.user("carol").joined_at + timedelta(hours=1))

    told = violations()

    assert any("dave of acme" in sentence for sentence in told)
    assert not any(name in sentence for sentence in told for name in ("alice", "bob", "carol"))


def test_rest_shows_the_same_of_those_whose_events_are_gone(aged_house):
    def shown():
        paths = ["users?limit=50", f"users/{aged_house.id('alice')}", f"users/{aged_house.id('bob')}"]
        return [aged_house.caller(who)("GET", path).bytes for who in ("alice", "bob", "trent") for path in paths]

    before = [body for body in shown() if b"request_id" not in body]
    call_command("prune_log")

    assert [body for body in shown() if b"request_id" not in body] == before
    assert len(before) >= 7


def test_a_longer_retention_brings_nothing_back_and_reports_nothing(aged_house):
    call_command("prune_log")

    Tenant.objects.filter(pk=aged_house.acme.pk).update(retention_days=30)

    assert violations() == []
