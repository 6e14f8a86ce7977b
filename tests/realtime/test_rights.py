"""The judge: who may watch, and who holds what on whom. Everything here is asked of the database, never remembered."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from guardian.shortcuts import assign_perm

from accounts import grants, roles
from accounts.kinds import USER_CREATED
from accounts.models import UserGrantToUser
from accounts.people import AccountsPeople
from accounts.permissions import ON_TENANTS, ON_USERS, VIEW_USER, VIEW_USER_CONTACT, VIEW_USER_ORIGIN, WATCH_SIGNUPS
from realtime import rights
from tests.realtime.house import viewer_now

NOW = 1_000.0


def viewer(session):
    return viewer_now(session)[1]


def held(session, subject):
    return rights.permissions_on(USER_CREATED, viewer(session), [subject.pk])[subject.pk]


def sees(session, permission=None):
    """Return the names of those whom a subquery finds; of whom one may hear, all parts together must find the same."""
    found = rights.visible_subjects(USER_CREATED, viewer(session), permission)
    names = set(type(session.user).objects.filter(pk__in=found).values_list("username", flat=True))
    if permission is None:
        parts = rights.visible_in_parts(USER_CREATED, viewer(session))
        assert {user.username for part in parts for user in part()} == names
    return names


EVERYBODY = {"alice", "anna", "bob", "trent", "carol", "dave"}


@pytest.mark.each_database
def test_who_holds_what_by_role(cast):
    table = {
        "alice": (set(ON_TENANTS), set(ON_USERS), EVERYBODY, EVERYBODY, EVERYBODY),
        "anna": ({WATCH_SIGNUPS, "manage_users"}, {VIEW_USER, VIEW_USER_CONTACT}, EVERYBODY, EVERYBODY, set()),
        "bob": ({WATCH_SIGNUPS}, {VIEW_USER}, EVERYBODY, set(), set()),
        "trent": ({WATCH_SIGNUPS}, set(), set(), set(), set()),
        "carol": (set(), set(), set(), set(), set()),
        "mallory": (set(ON_TENANTS), set(), {"mallory"}, {"mallory"}, {"mallory"}),
    }
    found = {
        name: (
            viewer(session := getattr(cast, name)).permissions,
            held(session, cast.dave),
            sees(session),
            sees(session, VIEW_USER_CONTACT),
            sees(session, VIEW_USER_ORIGIN),
        )
        for name in table
    }

    assert found == table


def test_an_operator_is_no_viewer_of_any_tenant(cast):
    standing = AccountsPeople().standings([cast.olga.pk])[cast.olga.pk]

    assert rights.viewers_of([standing]) == {}
    with pytest.raises(LookupError, match="olga is an operator"):
        rights.viewer_of(standing)


def test_what_mallory_was_wrongly_granted_opens_nothing(cast):
    """Granted on the tenant, on a person and by membership in a role of acme, by whatever path."""
    mallory = cast.mallory.user
    assign_perm(WATCH_SIGNUPS, mallory, cast.acme)
    for permission in ON_USERS:
        assign_perm(permission, mallory, cast.dave)
    mallory.groups.add(roles.role_named(cast.acme.pk, "owner").group)

    assert viewer(cast.mallory).tenant_id == cast.globex.pk
    assert held(cast.mallory, cast.dave) == set()
    assert sees(cast.mallory) == {"mallory"}


def test_the_permissions_of_a_foreign_role_are_not_those_on_ones_own_tenant(cast):
    cast.carol.user.groups.add(roles.role_named(cast.globex.pk, "owner").group)

    assert viewer(cast.carol).permissions == set()
    assert sees(cast.carol) == set()


def test_a_permission_of_the_model_or_a_superuser_opens_nothing(cast):
    codenames = [*ON_USERS, *ON_TENANTS]
    cast.carol.user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    roles.role_named(cast.acme.pk, "trainee").group.permissions.set(Permission.objects.filter(codename__in=codenames))
    olga = cast.olga.user
    olga.is_superuser = True
    olga.save()

    assert (viewer(cast.carol).permissions, sees(cast.carol)) == (set(), set())
    assert (viewer(cast.trent).permissions, sees(cast.trent)) == ({WATCH_SIGNUPS}, set())
    assert rights.viewers_of(AccountsPeople().standings([cast.olga.pk]).values()) == {}


def test_a_permission_on_the_tenant_may_be_ones_own_without_a_role(cast):
    assign_perm(WATCH_SIGNUPS, cast.carol.user, cast.acme)

    assert viewer(cast.carol).permissions == {WATCH_SIGNUPS}
    assert viewer(cast.bob).permissions == {WATCH_SIGNUPS}
    assert viewer(cast.mallory).permissions == set(ON_TENANTS)


def test_a_grant_on_one_person_counts_from_now_on_and_until_it_is_taken(cast):
    given = grants.give_grant(subject=cast.dave, permission=VIEW_USER, to=cast.trent.user)
    assert (held(cast.trent, cast.dave), sees(cast.trent)) == ({VIEW_USER}, {"dave"})

    grants.take_grant(given)
    assert (held(cast.trent, cast.dave), sees(cast.trent)) == (set(), set())


def test_more_fields_without_the_permission_to_hear_show_nobody(cast):
    grants.give_grant(subject=cast.dave, permission=VIEW_USER_CONTACT, to=cast.trent.user)

    assert held(cast.trent, cast.dave) == {VIEW_USER_CONTACT}
    assert sees(cast.trent) == set()


def test_what_groups_and_the_user_hold_adds_up(cast):
    grants.give_grant(subject=cast.dave, permission=VIEW_USER_ORIGIN, to=cast.bob.user)

    assert held(cast.bob, cast.dave) == {VIEW_USER, VIEW_USER_ORIGIN}
    found = rights.grants_on("accounts.User", [cast.dave.pk])
    assert found.on(cast.dave.pk).of(frozenset(), cast.bob.user_id) == {VIEW_USER_ORIGIN}
    assert found.on(cast.dave.pk).of(viewer(cast.bob).group_ids) == {VIEW_USER}
    assert found.on(cast.dave.pk).of(frozenset()) == set()


def test_nobody_is_remembered_after_a_revocation_by_raw_sql(cast):
    assign_perm(VIEW_USER, cast.trent.user, cast.dave)
    assert held(cast.trent, cast.dave) == {VIEW_USER}

    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {UserGrantToUser._meta.db_table}")

    assert held(cast.trent, cast.dave) == set()


def test_permissions_on_answers_for_everybody_asked_for(cast):
    stranger = cast.mallory.user
    answer = rights.permissions_on(USER_CREATED, viewer(cast.alice), [cast.dave.pk, stranger.pk, cast.bob.pk])

    assert answer == {cast.dave.pk: set(ON_USERS), stranger.pk: set(), cast.bob.pk: set()}
    assert rights.permissions_on(USER_CREATED, viewer(cast.alice), []) == {}
