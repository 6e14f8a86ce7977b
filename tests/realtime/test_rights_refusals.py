"""Why a session may not watch, and what it costs to find out."""

from dataclasses import replace

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import roles
from accounts.people import AccountsPeople
from accounts.permissions import WATCH_SIGNUPS
from realtime import rights
from realtime.protocol import Close
from realtime.rights import Viewer
from tests.realtime.house import make_user, viewer_now

NOW = 1_000.0


def test_the_number_of_queries_is_the_same_for_one_and_for_many(cast):
    sessions = [cast.alice, cast.anna, cast.bob, cast.trent, cast.mallory]
    people = [make_user(cast.acme, f"user {number}") for number in range(20)]
    rights.grants_on("accounts.User", [people[0].pk])  # a process looks content types up once
    counted = []
    for some_sessions, some_people in ((sessions[:1], people[:1]), (sessions, people)):
        with CaptureQueriesContext(connection) as viewers:
            rights.viewers_of(AccountsPeople().standings([session.pk for session in some_sessions]).values())
        with CaptureQueriesContext(connection) as found:
            rights.grants_on("accounts.User", [user.pk for user in some_people])
        counted.append((len(viewers), len(found)))

    assert counted == [(1, 1), (1, 1)]


def test_nobody_is_no_query(django_assert_num_queries, database):
    with django_assert_num_queries(0):
        assert rights.viewers_of([]) == {}
        assert rights.grants_on("accounts.User", []).of_groups == {}


def test_why_a_session_may_not_watch(cast):
    standing, watching = viewer_now(cast.bob)
    standing = replace(standing, session_expires_at=NOW + 1)
    idle = replace(watching, permissions=frozenset({"manage_users"}))
    table = [
        (standing, watching, None),
        (None, None, Close.SESSION_ENDED),
        (None, watching, Close.SESSION_ENDED),
        (replace(standing, session_ended=True), watching, Close.SESSION_ENDED),
        (replace(standing, session_expires_at=NOW), watching, Close.SESSION_ENDED),
        (replace(standing, is_user_active=False), watching, Close.NOT_AUTHORISED),
        # Deactivation ends the sessions too; the code must still say: stop, and not: log in again.
        (replace(standing, is_user_active=False, session_ended=True), watching, Close.NOT_AUTHORISED),
        (standing, None, Close.NOT_AUTHORISED),
        (standing, idle, Close.NOT_AUTHORISED),
        (replace(standing, is_tenant_active=False), watching, Close.TENANT_SUSPENDED),
        (replace(standing, is_tenant_active=False, session_ended=True), watching, Close.SESSION_ENDED),
        (replace(standing, is_tenant_active=False, is_user_active=False), watching, Close.NOT_AUTHORISED),
    ]

    assert [rights.refusal_of(s, v, now=NOW) for s, v, _ in table] == [close for _, _, close in table]


def test_a_viewer_is_a_value(cast):
    _, bob = viewer_now(cast.bob)

    assert bob == viewer_now(cast.bob)[1]
    assert bob == Viewer(
        session_id=cast.bob.pk,
        user_id=cast.bob.user_id,
        tenant_id=cast.acme.pk,
        group_ids=frozenset({roles.role_named(cast.acme.pk, "viewer").group_id}),
        permissions=frozenset({WATCH_SIGNUPS}),
    )
