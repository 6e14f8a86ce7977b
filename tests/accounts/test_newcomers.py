"""How users come in: refusals by name, one spelling of each name, and what happens when the database says no."""

import pytest
from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from accounts.models import User
from accounts.refusals import FieldsRefused, UsernameTaken
from accounts.retries import retried
from accounts.users import Newcomer, create_operator, create_user, import_users
from realtime.models import Event

pytestmark = pytest.mark.each_database


def test_only_the_name_is_a_taken_name(house):
    bob = house.user("bob")
    with pytest.raises(UsernameTaken, match="acme already has a user named bob"):
        house.add(" ＢＯＢ ")
    with pytest.raises(UsernameTaken, match="the platform already has a user named olga"):
        create_operator(username="olga", password="correct-horse")
    with pytest.raises(IntegrityError):
        User(pk=bob.pk, tenant=house.acme, username="other").save(force_insert=True)


def test_a_tenant_that_is_gone_is_no_taken_name(house):
    tenant = house.globex
    type(tenant).objects.filter(pk=tenant.pk).delete()

    with pytest.raises(IntegrityError):
        create_user(tenant=tenant, username="dave", joined_via="command")


def test_all_that_is_wrong_is_told_at_once(house):
    with pytest.raises(FieldsRefused) as refused:
        house.add("\n", email="nobody", full_name="a\nb", phone="\ud800", password="1")

    assert refused.value.errors.keys() == {"username", "email", "full_name", "phone", "password"}


def test_the_password_is_hashed_before_the_transaction(house, hashed_inside):
    house.add("dave", password="correct-horse")

    assert hashed_inside == [False]


def test_without_a_password_nobody_logs_in(house):
    assert not house.add("dave").has_usable_password()


def test_an_import_tells_which_name_is_taken_and_keeps_nothing_of_its_chunk(house):
    with pytest.raises(UsernameTaken, match="a user named bob"):
        import_users(tenant=house.acme, people=[Newcomer("dave"), Newcomer("Bob"), Newcomer("erin")])
    with pytest.raises(FieldsRefused, match="erin twice"):
        import_users(tenant=house.acme, people=[Newcomer("erin"), Newcomer("dave"), Newcomer("ERIN")])

    assert not User.objects.filter(username__in=["dave", "erin"]).exists()
    assert not Event.objects.filter(snapshot__username="dave").exists()


def test_imported_people_have_their_roles(house):
    import_users(tenant=house.acme, people=[Newcomer("dave", role="viewer"), Newcomer("erin")])

    assert [role.name for role in (group.role for group in house.user("dave").groups.all())] == ["viewer"]
    assert not house.user("erin").groups.exists()


def conflict(kind):
    error = OperationalError("given up")
    error.__cause__ = kind()
    return error


def test_conflicts_are_tried_again_three_times_at_most(database):
    for kind in (DeadlockDetected, SerializationFailure):
        attempts = []

        @retried
        def service(kind=kind, attempts=attempts, fails=2):
            attempts.append(1)
            if len(attempts) <= fails:
                raise conflict(kind)
            return "done"

        assert (service(), len(attempts)) == ("done", 3)
        attempts.clear()
        with pytest.raises(OperationalError):
            service(fails=3)
        assert len(attempts) == 3
        attempts.clear()
        with pytest.raises(OperationalError), transaction.atomic():
            service(fails=1)
        assert len(attempts) == 1, "the caller's transaction is lost, so trying again could not help"


def test_other_faults_are_not_tried_again(database):
    attempts = []

    @retried
    def service():
        attempts.append(1)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        service()
    assert len(attempts) == 1
