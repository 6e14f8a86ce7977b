"""What the creation of a user means: default grants, the event, the bell. Every path to a new user ends here."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection

from accounts.kinds import USER_CREATED
from accounts.models import User, UserGrantToGroup
from realtime import bell, log

RECEIVERS = """
    SELECT role.tenant_id, role.group_id, receives.permission_id FROM accounts_role role
    JOIN accounts_role_default_grants receives ON receives.role_id = role.id WHERE role.tenant_id IN ({})
"""


def record_creation(users: Sequence[User]) -> None:
    """
    Give the default grants on users just inserted, and append their events; rings the bells after the commit.

    Call it inside the transaction that inserted them, and last: their logs stay locked from here to the commit. It
    takes the same few statements for any number of users and tenants.
    """
    by_tenant: dict[int, list[User]] = defaultdict(list)
    for user in users:
        if user.tenant_id is not None:
            by_tenant[user.tenant_id].append(user)
    if not by_tenant:
        return
    _give_roles([user for newcomers in by_tenant.values() for user in newcomers])
    _give_default_grants(by_tenant)
    events = {tenant_id: [_event_of(user) for user in newcomers] for tenant_id, newcomers in by_tenant.items()}
    for tenant_id, head in log.append_to_each(events).items():
        bell.ring_on_commit(tenant_id, head=head)


def snapshot_of(user: User) -> dict[str, Any]:
    """Return every declared field of a user, JSON-ready; what is empty is None."""
    return {
        "id": str(user.pk),
        "username": user.username,
        "full_name": user.full_name or None,
        "joined_via": user.joined_via,
        "joined_at": user.joined_at.isoformat().replace("+00:00", "Z"),
        "email": user.email or None,
        "phone": user.phone or None,
        "address": user.address or None,
        "agent": user.agent or None,
    }


def _event_of(user: User) -> log.EventDraft:
    return log.EventDraft(kind=USER_CREATED.name, subject_id=user.pk, snapshot=snapshot_of(user), at=user.joined_at)


def _give_roles(newcomers: Sequence[User]) -> None:
    membership = User.groups.through
    memberships = [
        membership(user_id=user.pk, group_id=user.first_role.group_id) for user in newcomers if user.first_role
    ]
    if memberships:
        membership._default_manager.bulk_create(memberships)


def _give_default_grants(by_tenant: Mapping[int, Sequence[User]]) -> None:
    receivers = _receivers_in(by_tenant.keys())
    with UserGrantToGroup.objects.together():
        for tenant_id, newcomers in by_tenant.items():
            for permission, groups in receivers[tenant_id].items():
                for user in newcomers:
                    UserGrantToGroup.objects.assign_perm_to_many(permission, groups, user)


def _receivers_in(tenant_ids: Collection[int]) -> dict[int, dict[Permission, list[Group]]]:
    """Return, for each tenant, which groups receive which permissions on every user who is created."""
    receivers: dict[int, dict[Permission, list[Group]]] = defaultdict(lambda: defaultdict(list))
    with connection.cursor() as cursor:
        cursor.execute(RECEIVERS.format(", ".join(["%s"] * len(tenant_ids))), list(tenant_ids))
        for tenant_id, group_id, permission_id in cursor.fetchall():
            receivers[tenant_id][Permission(pk=permission_id)].append(Group(pk=group_id))
    return receivers
