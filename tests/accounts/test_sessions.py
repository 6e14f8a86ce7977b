"""Sessions begin with a log-in."""

from datetime import timedelta

import pytest

from accounts import provisioning, sessions
from accounts.models import Session, User
from accounts.refusals import BadCredentials, TenantSuspended
from accounts.tokens import AccessTokens, pair_of
from tests.accounts.signing_in import log_in, session_of

pytestmark = pytest.mark.each_database


def test_a_log_in_begins_a_session_of_fourteen_days(alice):
    pair = log_in(alice)

    session = session_of(pair)
    assert session.user == alice
    assert session.expires_at - session.created_at == timedelta(days=14)
    assert (session.address, session.agent) == ("192.0.2.7", "test")
    assert AccessTokens().read(pair.access).session_id == session.pk
    assert pair == pair_of(session)


def test_no_token_is_stored(alice):
    pair = log_in(alice)

    row = str(Session.objects.values().get())
    assert not any(part in row for token in (pair.access, pair.refresh) for part in token.split("."))


def test_a_log_in_of_a_user_who_was_deactivated_or_deleted_meanwhile_is_refused(alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(BadCredentials):
        log_in(alice)

    User.objects.filter(pk=alice.pk).delete()
    with pytest.raises(BadCredentials):
        log_in(alice)


def test_a_log_in_to_a_suspended_tenant_is_refused(alice):
    provisioning.change_tenant(alice.tenant, is_active=False)

    with pytest.raises(TenantSuspended):
        log_in(alice)


def test_an_operators_sessions_begin_and_end_too(olga, bells):
    pair = log_in(olga)

    assert sessions.refresh(pair.refresh)
    assert sessions.end_all_sessions(olga, reason=sessions.LOGGED_OUT) == 1
    assert bells == []
