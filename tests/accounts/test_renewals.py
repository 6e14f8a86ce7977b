"""Sessions are renewed one pair at a time, and a pair that comes twice ends them."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import provisioning, sessions
from accounts.models import Session, User
from accounts.refusals import NotAuthorised, SessionEnded, TenantSuspended
from accounts.tokens import AccessTokens, pair_of, read_refresh
from realtime.ports import TokenRefused
from tests.accounts.signing_in import backdate_renewal, log_in, session_of

pytestmark = pytest.mark.each_database


def test_a_renewal_gives_another_pair_and_keeps_the_end(alice):
    first = log_in(alice)
    end = session_of(first).expires_at

    second = sessions.refresh(first.refresh)

    assert {second.access, second.refresh}.isdisjoint({first.access, first.refresh})
    assert session_of(second) == session_of(first)
    assert session_of(second).expires_at == end
    assert AccessTokens().read(second.access).session_id == session_of(first).pk


def test_a_renewal_repeated_at_once_gives_the_same_pair_byte_for_byte(alice):
    first = log_in(alice)

    second = sessions.refresh(first.refresh)
    backdate_renewal(first, 9)
    again = sessions.refresh(first.refresh)

    assert again.refresh != first.refresh
    assert sessions.refresh(first.refresh) == again
    assert read_refresh(again.refresh) == read_refresh(second.refresh), "moving the clock changed iat alone"
    assert session_of(first).ended_at is None


def test_the_pair_that_a_repeat_gives_can_be_renewed(alice):
    first = log_in(alice)
    sessions.refresh(first.refresh)

    assert sessions.refresh(sessions.refresh(first.refresh).refresh)


def test_a_repeat_after_ten_seconds_ends_the_session(house, alice, bells):
    first = log_in(alice)
    second = sessions.refresh(first.refresh)
    backdate_renewal(first, 11)
    rights = house.rights()

    with pytest.raises(SessionEnded):
        sessions.refresh(first.refresh)

    assert session_of(first).end_reason == "refresh_reused", "the end is committed although the request was refused"
    assert house.rights() > rights
    assert bells[-1] == alice.tenant_id
    with pytest.raises(SessionEnded):
        sessions.refresh(second.refresh)


def test_an_older_refresh_token_ends_the_session_at_once(alice):
    first = log_in(alice)
    second = sessions.refresh(first.refresh)
    third = sessions.refresh(second.refresh)

    with pytest.raises(SessionEnded):
        sessions.refresh(first.refresh)

    assert session_of(third).end_reason == "refresh_reused"
    with pytest.raises(SessionEnded):
        sessions.refresh(third.refresh)


def test_reuse_ends_one_session_and_no_other(alice):
    stolen, other = log_in(alice), log_in(alice)
    sessions.refresh(stolen.refresh)
    backdate_renewal(stolen, 60)
    with pytest.raises(SessionEnded):
        sessions.refresh(stolen.refresh)

    assert sessions.refresh(other.refresh)


def test_a_renewal_inside_a_transaction_of_the_callers_is_a_mistake_that_shows(alice):
    pair = log_in(alice)

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        sessions.refresh(pair.refresh)


def test_two_renewals_at_the_same_moment_give_the_same_pair(alice):
    first = log_in(alice)
    together = threading.Barrier(2)
    pairs = []

    def renew() -> None:
        try:
            together.wait()
            pairs.append(sessions.refresh(first.refresh))
        finally:
            connection.close()

    threads = [threading.Thread(target=renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(pairs) == 2
    assert pairs[0] == pairs[1] != first
    assert pairs[0] == pair_of(session_of(first)), "one renewal was made, and is the one that is stored"


def test_an_ended_session_is_not_renewed(alice):
    pair = log_in(alice)
    assert sessions.end_session(alice, session_of(pair).pk, reason=sessions.LOGGED_OUT)

    with pytest.raises(SessionEnded):
        sessions.refresh(pair.refresh)


def test_an_expired_session_is_not_renewed(alice):
    pair = log_in(alice)
    Session.objects.update(expires_at=timezone.now())

    with pytest.raises(SessionEnded):
        sessions.refresh(pair.refresh)


def test_a_session_that_is_gone_is_not_renewed(alice):
    pair = log_in(alice)
    Session.objects.all().delete()

    with pytest.raises(SessionEnded):
        sessions.refresh(pair.refresh)


def test_a_deactivated_users_session_is_not_renewed(alice):
    pair = log_in(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    with pytest.raises(NotAuthorised):
        sessions.refresh(pair.refresh)


def test_a_suspended_tenants_session_is_renewed_when_it_is_resumed(alice):
    pair = log_in(alice)
    provisioning.change_tenant(alice.tenant, is_active=False)
    with pytest.raises(TenantSuspended):
        sessions.refresh(pair.refresh)

    provisioning.change_tenant(alice.tenant, is_active=True)

    assert sessions.refresh(pair.refresh)


def test_a_refresh_token_of_one_user_does_not_renew_the_session_of_another(alice, bob):
    pair = log_in(alice)
    Session.objects.update(user=bob)

    with pytest.raises(TokenRefused):
        sessions.refresh(pair.refresh)


def test_an_access_token_renews_nothing(alice):
    with pytest.raises(TokenRefused):
        sessions.refresh(log_in(alice).access)
