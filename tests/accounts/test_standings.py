"""What accounts tells realtime/ of the people behind sessions."""

from uuid import uuid4

import pytest

from accounts import provisioning, sessions
from accounts.models import User
from accounts.people import AccountsPeople, user_behind
from tests.accounts.signing_in import log_in, session_of

pytestmark = pytest.mark.each_database


def test_a_standing_tells_session_user_tenant_and_groups(alice, olga):
    pairs = [log_in(alice), log_in(olga)]
    ids = [session_of(pair).pk for pair in pairs]

    standings = AccountsPeople().standings([*ids, uuid4()])

    assert set(standings) == set(ids)
    of_alice, of_olga = (standings[session_id] for session_id in ids)
    assert (of_alice.username, of_alice.tenant_slug, of_alice.tenant_id) == ("alice", "acme", alice.tenant_id)
    assert of_alice.group_ids == {alice.groups.get().pk}
    assert of_alice.is_user_active
    assert of_alice.is_tenant_active
    assert not of_alice.session_ended
    assert of_alice.session_expires_at == pytest.approx(session_of(pairs[0]).expires_at.timestamp())
    assert (of_olga.tenant_id, of_olga.tenant_slug, of_olga.is_tenant_active) == (None, None, True)


def test_a_standing_shows_what_has_ended(alice):
    session_id = session_of(log_in(alice)).pk
    sessions.end_session(alice, session_id, reason=sessions.LOGGED_OUT)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    provisioning.change_tenant(alice.tenant, is_active=False)

    standing = AccountsPeople().standings([session_id])[session_id]

    assert (standing.session_ended, standing.is_user_active, standing.is_tenant_active) == (True, False, False)


@pytest.mark.parametrize("how_many", [1, 30])
def test_standings_take_one_query_however_many_are_asked_for(alice, django_assert_num_queries, how_many):
    ids = [session_of(log_in(alice)).pk for _ in range(how_many)]

    with django_assert_num_queries(1):
        assert len(AccountsPeople().standings(ids)) == how_many
    with django_assert_num_queries(0):
        assert AccountsPeople().standings([]) == {}


def test_the_user_and_tenant_behind_a_standing_are_known_without_a_query(alice, olga, django_assert_num_queries):
    standings = [AccountsPeople().standings([session])[session] for session in _sessions_of(alice, olga)]

    with django_assert_num_queries(0):
        of_alice, of_olga = map(user_behind, standings)
        known = [(u.pk, u.username, u.tenant_id, u.is_active) for u in (of_alice, of_olga)]
        of_acme = of_alice.tenant.pk, of_alice.tenant.slug, of_alice.tenant.is_active
        assert of_olga.tenant is None

    assert known == [(u.pk, u.username, u.tenant_id, True) for u in (alice, olga)]
    assert of_acme == (alice.tenant_id, "acme", True)
    assert (of_alice.email, of_alice.password, of_alice.tenant.name) == (
        alice.email,
        alice.password,
        alice.tenant.name,
    ), "the rest is fetched when it is asked for"


def _sessions_of(*users):
    return [session_of(log_in(user)).pk for user in users]
