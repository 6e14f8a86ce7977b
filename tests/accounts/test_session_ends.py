"""Sessions end for good, by whichever way, and so do all others when the password changes."""

from uuid import uuid4

import pytest

from accounts import sessions
from accounts.endings import live_sessions
from accounts.models import Session, User
from accounts.refusals import BadCredentials, WeakPassword, WrongPassword
from tests.accounts.house import PASSWORD
from tests.accounts.signing_in import log_in, session_of

pytestmark = pytest.mark.each_database

BETTER, ANOTHER = "correct horse battery", "staple battery horse"


def test_ending_a_session_bumps_the_rights_and_rings_the_bell(house, alice, bells):
    pair = log_in(alice)
    rights = house.rights()

    assert sessions.end_session(alice, session_of(pair).pk, reason=sessions.LOGGED_OUT)

    assert session_of(pair).end_reason == "logged_out"
    assert house.rights() > rights
    assert bells[-1] == alice.tenant_id


def test_a_renewal_and_a_log_in_touch_nobodys_rights(house, alice):
    pair = log_in(alice)
    rights = house.rights()

    sessions.refresh(pair.refresh)
    log_in(alice)

    assert house.rights() == rights


def test_nobody_ends_the_session_of_another_or_one_that_has_ended(alice, bob):
    session_id = session_of(log_in(alice)).pk

    assert not sessions.end_session(bob, session_id, reason=sessions.LOGGED_OUT)
    assert not sessions.end_session(alice, uuid4(), reason=sessions.LOGGED_OUT)
    assert sessions.end_session(alice, session_id, reason=sessions.LOGGED_OUT)
    assert not sessions.end_session(alice, session_id, reason=sessions.ENDED_BY_STAFF)
    assert Session.objects.get().end_reason == "logged_out"


def test_all_sessions_end_but_one_if_asked(alice):
    kept, *others = [session_of(log_in(alice)).pk for _ in range(3)]

    assert sessions.end_all_sessions(alice, reason=sessions.ENDED_BY_STAFF, but=kept) == len(others)
    assert [session.pk for session in live_sessions(alice)] == [kept]
    assert sessions.end_all_sessions(alice, reason=sessions.ENDED_BY_STAFF) == 1


def test_a_new_password_ends_the_other_sessions(alice, bells):
    kept, other = log_in(alice), log_in(alice)

    sessions.change_password(alice, current=PASSWORD, new=BETTER, session_id=session_of(kept).pk, address=None)

    assert session_of(kept).ended_at is None
    assert session_of(other).end_reason == "password_changed"
    assert User.objects.get(pk=alice.pk).check_password("correct horse battery")
    assert bells[-1] == alice.tenant_id


def test_a_password_is_not_changed_by_somebody_who_does_not_know_it_nor_to_a_weak_one(alice):
    pair = log_in(alice)
    session_id = session_of(pair).pk

    with pytest.raises(WrongPassword):
        sessions.change_password(alice, current="guess", new=BETTER, session_id=session_id, address=None)
    with pytest.raises(WeakPassword) as weak:
        sessions.change_password(alice, current=PASSWORD, new="12345678", session_id=session_id, address=None)

    assert len(weak.value.errors["new"]) == 2
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)


def test_of_two_password_changes_at_once_the_second_is_refused(alice):
    session_id = session_of(log_in(alice)).pk
    same_alice = User.objects.get(pk=alice.pk)
    assert same_alice.check_password(PASSWORD)
    sessions.change_password(alice, current=PASSWORD, new=BETTER, session_id=session_id, address=None)

    with pytest.raises(WrongPassword):
        sessions.change_password(same_alice, current=PASSWORD, new=ANOTHER, session_id=session_id, address=None)


def test_a_log_in_with_a_password_that_was_changed_meanwhile_is_refused(alice):
    checked = User.objects.get(pk=alice.pk)
    session_id = session_of(log_in(alice)).pk
    sessions.change_password(alice, current=PASSWORD, new=BETTER, session_id=session_id, address=None)

    with pytest.raises(BadCredentials):
        log_in(checked)
