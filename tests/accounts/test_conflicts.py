"""Transactions that meet: what the database gives up is tried again, and of two equal newcomers one comes in."""

import threading

import pytest
from django.db import connection, transaction

from accounts import roles
from accounts.log_check import violations
from accounts.models import User
from accounts.refusals import NotAuthorised, UsernameTaken
from accounts.retries import retried
from realtime import log
from realtime.rights import viewer_of
from tenants.models import Tenant
from tests.realtime.house import Seam

AT_ONCE = 2


def together(*calls):
    """Run each call in a thread of its own, and return what they raised."""
    raised = []

    def run(call):
        try:
            call()
        except UsernameTaken as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.each_database
def test_of_two_daves_at_once_one_comes_in(house):
    start = threading.Barrier(AT_ONCE, timeout=20)

    def join():
        start.wait()
        house.add("dave")

    (refused,) = together(join, join)

    assert str(refused) == "acme already has a user named dave; choose another name."
    assert User.objects.filter(username="dave").count() == 1
    assert violations() == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_real_deadlock_is_tried_again(house):
    both_have_one, attempts = threading.Barrier(AT_ONCE, timeout=20), []

    @retried
    def rename(first, then):
        attempts.append(first)
        with transaction.atomic():
            Tenant.objects.filter(slug=first).update(name="First")
            if len(attempts) <= AT_ONCE:
                both_have_one.wait()
            Tenant.objects.filter(slug=then).update(name="Then")

    together(lambda: rename("acme", "globex"), lambda: rename("globex", "acme"))

    assert len(attempts) > AT_ONCE, "one of the two was given up"
    assert set(Tenant.objects.values_list("name", flat=True)) == {"First", "Then"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_loses_the_right_while_he_waits_for_the_log_makes_nobody(house, monkeypatch, standing_of):
    peggy = viewer_of(standing_of("peggy"))
    house.add("dave", created_by=peggy)
    Seam(monkeypatch, log, "append_to_each").slip_in(lambda: roles.set_role(house.user("peggy"), None))

    with pytest.raises(NotAuthorised):
        house.add("erin", created_by=peggy)

    assert not User.objects.filter(username="erin").exists()
    assert violations() == []
