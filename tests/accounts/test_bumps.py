"""Every change of rights bumps the counter of just that tenant, in the same transaction, and names what it touched."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import grants, provisioning, roles, sessions, users
from accounts.creation import record_creation
from accounts.models import Role, Session, User, UserGrantToUser
from realtime.models import Event
from tenants.models import RightsChange, RightsCounter, Tenant
from tests.accounts.changes import CHANGES, Act, Scene

pytestmark = pytest.mark.each_database

LONG_AGO = timezone.now() - timedelta(days=40)


def over(scene: Scene) -> Any:
    """Return two sessions of a member: one that has ended, and one that has expired."""
    times = ({"expires_at": timezone.now() + timedelta(days=9), "ended_at": LONG_AGO}, {"expires_at": LONG_AGO})
    made = [Session.objects.create(user=scene.member, refreshed_at=LONG_AGO, **when) for when in times]
    return Session.objects.filter(pk__in=[session.pk for session in made])


NO_CHANGES: dict[str, Act] = {
    "a user": lambda s: s.house.add("newcomer"),
    "users in bulk": lambda s: User.objects.bulk_create([User(tenant=s.acme, username=f"bulk{n}") for n in range(3)]),
    "a user who signs up": lambda s: s.house.add("joiner", joined_via="signup"),
    "a name": lambda s: s.users(s.subject).update(full_name="Other", email="other@acme.test"),
    "a log-in": lambda s: sessions.log_in(s.member, address=None, agent=""),
    "a renewal": lambda s: s.sessions().update(refresh_jti="x", refreshed_at=timezone.now()),
    "sessions that are over, and go": lambda s: over(s).delete(),
    "sessions that are over, by another hand": lambda s: over(s).update(ended_at=timezone.now()),
    "a default grant": lambda s: s.role.default_grants.add(s.contact),
    "a tenant's name": lambda s: provisioning.change_tenant(s.acme, name="Apex", signup_policy="closed"),
    "a role saved as it was": lambda s: roles.set_role(s.watcher, s.role),
    "a user saved as it was": lambda s: s.watcher.save(),
    "an operator": lambda s: users.create_operator(username="oscar", password="correct-horse"),
}


def counters() -> dict[int, int]:
    return dict(RightsCounter.objects.values_list("tenant_id", "value"))


def is_like(change: RightsChange, touched: dict[str, Any], scene: Scene) -> bool:
    wanted = {field: getattr(scene, value).pk if isinstance(value, str) else value for field, value in touched.items()}
    return all(getattr(change, field) == value for field, value in wanted.items())


def fault_of(scene: Scene, act: Act, touched: dict[str, Any]) -> str | None:
    """What is wrong with a path, first rolled back and then committed; None if all is well."""
    before, rows = counters(), RightsChange.objects.count()
    pks = {name: getattr(scene, name).pk for name in ("watcher", "group", "session", "subject")}
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        act(scene)
        raise ZeroDivisionError
    for name, pk in pks.items():  # a deleted instance has lost its key, though not its row
        getattr(scene, name).pk = pk
        getattr(scene, name).refresh_from_db()
    if counters() != before or RightsChange.objects.count() != rows:
        return "a rollback left a bump"

    with transaction.atomic():
        act(scene)

    for name, pk in pks.items():
        getattr(scene, name).pk = pk
    after, acme = counters(), scene.acme.pk
    changes = RightsChange.objects.filter(tenant_id=acme, rights__gt=before[acme])
    if {tenant for tenant in after if after[tenant] != before.get(tenant)} != {acme}:
        return f"counters went from {before} to {after}"
    if connection.vendor == "postgresql" and after[acme] != before[acme] + 1:
        return f"bumped {after[acme] - before[acme]} times"
    if not any(is_like(change, touched, scene) for change in changes):
        return f"no row like {touched} among {list(changes.values())}"
    return None


def test_every_change_of_rights_bumps_and_names_what_it_touched(house, tmp_path):
    faults = {}
    for number, (name, (act, touched)) in enumerate(CHANGES.items()):
        Tenant.objects.update(is_active=True)
        house.acme.refresh_from_db()
        faults[name] = fault_of(Scene(house, f"role{number}", tmp_path), act, touched)

    assert {name: fault for name, fault in faults.items() if fault} == {}


def test_what_changes_nobodys_rights_does_not_bump(house, tmp_path):
    scene = Scene(house, "role", tmp_path)
    for name, act in NO_CHANGES.items():
        before = counters()

        act(scene)

        assert counters() == before, name


def test_many_changes_of_one_transaction_are_one_bump(house, tmp_path):
    one, two = Scene(house, "one", tmp_path), Scene(house, "two", tmp_path)
    before = house.rights()

    with transaction.atomic():
        roles.set_role(one.member, one.role)
        users.change_user(user=two.watcher, is_active=False)
        grants.take_grant(two.to_user)

    changes = house.changes_since(before)
    assert {change.user_id for change in changes} >= {one.member.pk, two.watcher.pk, two.member.pk}
    assert house.rights() == (before + 1 if connection.vendor == "postgresql" else max(c.rights for c in changes))
    assert RightsChange.objects.filter(rights=None).count() == 0, "every row says at which value it can be read"


def test_a_transaction_on_two_tenants_bumps_both(house):
    before = {tenant.pk: house.rights(tenant) for tenant in (house.acme, house.globex)}

    Tenant.objects.update(is_active=False)

    assert {tenant_id: value > before[tenant_id] for tenant_id, value in counters().items() if tenant_id in before} == {
        house.acme.pk: True,
        house.globex.pk: True,
    }


def test_each_row_of_one_statement_counts_by_itself(house, tmp_path):
    """Grants of a newcomer, who touches nobody, and on others, of two tenants, come by one statement."""
    scene = Scene(house, "one", tmp_path)
    before, rights = counters(), house.rights()
    others = [scene.subject, house.user("bob"), house.user("mallory")]

    with transaction.atomic():
        newcomer = User(tenant=house.acme, username="newcomer")
        User._base_manager.bulk_create([newcomer])  # the row alone: its grants and its event are to come
        UserGrantToUser.objects.bulk_create(
            UserGrantToUser(user=scene.member, permission=scene.contact, content_object=subject)
            for subject in (newcomer, *others)
        )
        record_creation([newcomer])

    assert {change.subject_id for change in house.changes_since(rights)} == {user.pk for user in others[:2]}
    assert {tenant for tenant, value in counters().items() if value != before[tenant]} == {
        house.acme.pk,
        house.globex.pk,
    }
    rights = house.rights()
    UserGrantToUser.objects.filter(permission=scene.contact).delete()
    assert {(change.subject_id, change.granted) for change in house.changes_since(rights)} == {
        (user.pk, False) for user in (newcomer, *others[:2])
    }


def test_only_so_many_of_the_last_values_are_kept(house):
    far = 5 * RightsChange.KEPT
    RightsCounter.objects.filter(tenant_id=house.acme.pk).update(value=far)

    house.user("carol").groups.add(Role.objects.get(tenant=house.acme, name="viewer").group)

    kept = RightsChange.objects.filter(tenant_id=house.acme.pk).values_list("rights", flat=True)
    assert list(kept) == [far + 1]
    assert RightsChange.objects.filter(tenant_id=house.globex.pk).exists(), "another tenant's rows stay"


def test_a_deleted_tenant_deletes_without_a_fault(house):
    house.globex.delete()

    assert not User.objects.filter(username="mallory").exists()


def test_the_services_ring_the_bell_too(house, tmp_path, bells):
    """Not needed for correctness, since every hub compares the counters by itself: it makes the change felt at once."""
    services = ["set_role", "change_user(role)", "change_user(is_active)", "give_grant", "take_grant", "change_role"]
    services += ["delete_role", "end_session", "end_all_sessions", "change_tenant"]
    for number, name in enumerate(services):
        act, _ = CHANGES[name]
        scene = Scene(house, f"role{number}", tmp_path)
        bells.clear()

        act(scene)

        assert set(bells) == {house.acme.pk}, name


def test_a_grant_on_one_whose_event_the_log_has_let_go_bumps_too(house):
    house.add("veteran")
    veteran = User.objects.get(tenant=house.acme, username="veteran")
    Event.objects.filter(subject_id=veteran.pk).delete()
    User.objects.filter(pk=veteran.pk).update(joined_at=timezone.now() - timedelta(days=2))
    before = counters()[house.acme.pk]

    grants.give_grant(subject=veteran, permission="view_user", to=veteran)

    assert counters()[house.acme.pk] == before + 1
