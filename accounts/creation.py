"""What the creation of a user means: default grants, the event, the bell. Every path to a new user ends here."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, Permission

from accounts.kinds import USER_CREATED
from accounts.models import Role, User, UserGrantToGroup
from realtime import bell, log


def record_creation(users: Sequence[User]) -> None:
    """
    Give the default grants on users just inserted, and append their events; rings the bell after the commit.

    Call it inside the transaction that inserted them, and last: the log stays locked from here to the commit.
    """
    by_tenant: dict[int, list[User]] = defaultdict(list)
    for user in users:
        if user.tenant_id is not None:
            by_tenant[user.tenant_id].append(user)
    for tenant_id, newcomers in by_tenant.items():
        _give_roles(newcomers)
        _give_default_grants(tenant_id, newcomers)
    for tenant_id in sorted(by_tenant):
        head = log.append(tenant_id=tenant_id, events=[_event_of(user) for user in by_tenant[tenant_id]])
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


def _give_roles(newcomers: list[User]) -> None:
    membership = User.groups.through
    membership._default_manager.bulk_create(
        membership(user_id=user.pk, group_id=user.first_role.group_id) for user in newcomers if user.first_role
    )


def _give_default_grants(tenant_id: int, newcomers: list[User]) -> None:
    receiving = Role.default_grants.through._default_manager.filter(role__tenant_id=tenant_id)
    receivers: dict[int, list[int]] = defaultdict(list)
    for group_id, permission_id in receiving.values_list("role__group_id", "permission_id"):
        receivers[permission_id].append(group_id)
    if len(newcomers) == 1:
        for permission_id, group_ids in receivers.items():
            groups = [Group(pk=group_id) for group_id in group_ids]
            UserGrantToGroup.objects.assign_perm_to_many(Permission(pk=permission_id), groups, newcomers[0])
        return
    # Not guardian's own bulk: it takes two statements for each role and permission, and looks for grants that nobody
    # can have given on users who are new.
    UserGrantToGroup.objects.bulk_create(
        UserGrantToGroup(permission_id=permission_id, group_id=group_id, content_object=user)
        for permission_id, group_ids in receivers.items()
        for group_id in group_ids
        for user in newcomers
    )
