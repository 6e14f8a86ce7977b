"""Every path to a user of a tenant leaves exactly one event, in the same transaction, or is refused or reported."""

from contextlib import nullcontext

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.log_check import violations
from accounts.models import User
from accounts.users import Newcomer, create_operator, import_users
from realtime import snapshot
from realtime.models import Event
from tenants.models import Head
from tests.accounts.house import House
from tests.accounts.paths import AROUND, PATHS, by_sign_up

pytestmark = pytest.mark.each_database


def events_of(user: User) -> list[Event]:
    return list(Event.objects.filter(subject_id=user.pk, kind="user.created"))


def head(house: House) -> int:
    return Head.objects.get(tenant=house.acme).position


def test_every_path_leaves_one_event_that_tells_all(house):
    for path, joined_via in PATHS.items():
        name, before = path.__name__, head(house)

        path(house, name)

        user = house.user(name)
        (event,) = events_of(user)
        assert (event.tenant_id, event.position) == (house.acme.pk, before + 1), name
        assert (event.snapshot["username"], event.snapshot["joined_via"]) == (name, joined_via)
        assert user.joined_via == joined_via
        assert user.grants_to_groups.count() == 6, f"{name}: the default grants of owner, admin and viewer"
        assert (user.address is not None) == (path is by_sign_up), name
    assert violations() == []


def test_what_is_rolled_back_leaves_nothing(house, bells, monkeypatch):
    # What REST answers is read in a snapshot, which is never opened inside a transaction; here one is around it all.
    monkeypatch.setattr(snapshot, "one_moment", nullcontext)
    before = head(house)
    for path in PATHS:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            path(house, path.__name__)
            raise ZeroDivisionError

    assert not User.objects.filter(username__startswith="by_").exists()
    assert (head(house), Event.objects.filter(tenant=house.acme).count()) == (before, before)
    assert bells == []
    assert violations() == []


@pytest.mark.parametrize("path", AROUND)
def test_a_path_around_them_is_refused_or_reported(house, path, tmp_path, capsys):
    name = path.__name__
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError, match="expected exactly one"):
            path(house, name, tmp_path)
        assert not User.objects.filter(username=name, tenant=house.acme).exists()
        assert violations() == []
        return

    path(house, name, tmp_path)

    assert f"{name} of acme" in violations()[0]
    with pytest.raises(CommandError, match="expected none"):
        call_command("check_log")
    assert f"{name} of acme" in capsys.readouterr().out


def test_the_log_check_passes_a_sound_log_and_sees_a_hole(house, capsys):
    call_command("check_log")
    assert "whole" in capsys.readouterr().out

    Event.objects.filter(tenant=house.acme, position=2).delete()

    assert [sentence for sentence in violations() if "log of tenant" in sentence]


def test_a_user_has_no_second_creation(house):
    bob = house.user("bob")
    event = Event.objects.get(subject_id=bob.pk)

    with pytest.raises(IntegrityError):
        Event.objects.create(
            tenant=house.acme, position=999, kind=event.kind, subject_id=bob.pk, snapshot={}, at=event.at
        )


def test_many_at_once_are_one_stretch_of_the_log(house):
    before = head(house)
    with transaction.atomic():
        User.objects.bulk_create(User(tenant=house.acme, username=f"many{number}") for number in range(5))

    positions = Event.objects.filter(snapshot__username__startswith="many").values_list(
        "position", "snapshot__username"
    )
    assert list(positions.order_by("position")) == [(before + 1 + n, f"many{n}") for n in range(5)]


def test_users_of_many_tenants_take_as_few_statements_as_one(house):
    def statements(users):
        with CaptureQueriesContext(connection) as captured:
            User.objects.bulk_create(users)
        return [query["sql"].split()[0] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]

    one = statements([User(tenant=house.acme, username="one")])
    many = statements([User(tenant=t, username=f"of {t.slug} {n}") for t in (house.globex, house.acme) for n in "abc"])

    assert len(many) == len(one) <= (4 if connection.vendor == "postgresql" else 6)
    assert violations() == []
    assert {user.grants_to_groups.count() for user in User.objects.filter(username__startswith="of ")} == {6}


def test_an_import_goes_in_chunks_and_all_or_nothing_is_per_chunk(house):
    before = head(house)
    people = [Newcomer(f"u{number}", email=f"u{number}@acme.test") for number in range(1001)]

    assert import_users(tenant=house.acme, people=people) == 1001

    assert head(house) == before + 1001
    assert violations() == []
    newest = Event.objects.get(tenant=house.acme, position=before + 1001)
    assert newest.snapshot["email"] == "u1000@acme.test"


def test_an_operator_has_no_event(house):
    before = Event.objects.count()

    operator = create_operator(username="oscar", password="correct-horse")

    assert (events_of(operator), Event.objects.count()) == ([], before)
    assert violations() == []


def test_a_deleted_user_is_forgotten_by_the_log_and_leaves_no_hole(house):
    dave = house.add("dave", email="dave@acme.test")

    User.objects.filter(pk=dave.pk).delete()

    assert [event.snapshot for event in events_of(dave)] == [{}]
    assert violations() == []


def test_conflicts_are_not_passed_over_in_bulk(house):
    for how in ({"ignore_conflicts": True}, {"update_conflicts": True}):
        with pytest.raises(ValueError, match="conflicts"):
            User.objects.bulk_create([User(tenant=house.acme, username="bob")], **how)


def test_who_is_older_than_the_log_can_still_be_saved(house):
    bob = house.user("bob")
    Event.objects.filter(subject_id=bob.pk).delete()

    bob.full_name = "Bob Barker"
    bob.save()

    assert house.user("bob").full_name == "Bob Barker"


def test_a_user_is_of_one_tenant_for_life(house):
    if connection.vendor == "sqlite":
        User.objects.filter(username="bob").update(tenant=house.globex)
        assert "bob of globex" in violations()[0]
        return

    with pytest.raises(IntegrityError, match="expected exactly one"):
        User.objects.filter(username="bob").update(tenant=house.globex)
