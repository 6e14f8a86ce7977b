"""Roles: what each gives, who has which, and the two rules above all: give what you hold, and keep an owner."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from accounts.fields import refuse_invalid
from accounts.kinds import USER_CREATED
from accounts.models import Role, TenantGrantToGroup, User
from accounts.permissions import ON_TENANTS, ON_USERS, OWNER
from accounts.refusals import FieldsRefused, LastOwner, NotHeld, Refused, UnknownRole
from realtime import bell, rights
from realtime.rights import Viewer
from tenants.models import Tenant


def role_named(tenant_id: int, name: str) -> Role:
    """Return a tenant's role of that name; raises ``UnknownRole``."""
    roles = {role.name: role for role in Role.objects.filter(tenant_id=tenant_id).order_by("pk")}
    try:
        return roles[name]
    except KeyError:
        raise UnknownRole(role=name, known=list(roles)) from None


def role_of(user: User) -> Role | None:
    """Return the role that a user has in its tenant, or None for a member."""
    return Role.objects.filter(group__user=user, tenant=user.tenant).order_by("pk").first()


def role_names_of(users: Collection[User]) -> dict[UUID, str]:
    """Return the name of the role of each user that has one, in one query."""
    rows = Role.objects.filter(group__user__in=[user.pk for user in users]).order_by("-pk")
    tenants = {user.pk: user.tenant_id for user in users}
    named = rows.values_list("group__user", "tenant_id", "name")
    return {user_id: name for user_id, tenant_id, name in named if tenants[user_id] == tenant_id}


def tenant_permissions_of(role: Role) -> frozenset[str]:
    """Return what a role gives on its tenant. It says what the role is made of; who may do what, the judge says."""
    rows = TenantGrantToGroup.objects.filter(group_id=role.group_id, content_object_id=role.tenant_id)
    return frozenset(rows.values_list("permission__codename", flat=True))


def default_grants_of(roles: Collection[Role]) -> frozenset[str]:
    """Return what these roles receive, together, on every user created in their tenant."""
    rows = Permission.objects.filter(
        pk__in=Role.default_grants.through.objects.filter(role__in=roles).values("permission")
    )
    return frozenset(rows.values_list("codename", flat=True))


def refuse_unheld(role: Role, giver: Viewer) -> None:
    """Raise ``NotHeld`` unless the giver holds everything that a role of his tenant gives."""
    if role.tenant_id != giver.tenant_id:
        raise ValueError(f"{role} is a role of another tenant than the giver's; look it up with role_named()")
    own = Role.objects.filter(tenant_id=giver.tenant_id, group_id__in=giver.group_ids)
    lacking = (tenant_permissions_of(role) - giver.permissions) | (default_grants_of([role]) - default_grants_of(own))
    if lacking:
        raise NotHeld(
            f"the role {role.name} gives {', '.join(sorted(lacking))}, which you do not hold; "
            "ask somebody who does, such as an owner."
        )


def set_role(user: User, role: Role | None) -> None:
    """Make ``role`` the one role of a user in its tenant, or with None make it a member."""
    if role is not None and role.tenant_id != user.tenant_id:
        raise ValueError(f"{role} is a role of another tenant than {user}'s; choose one of its own tenant's")
    groups = Group.objects.filter(user=user, role__isnull=False)
    with transaction.atomic():
        if role is None:
            user.groups.remove(*groups)
        else:
            user.groups.remove(*groups.exclude(pk=role.group_id))
            user.groups.add(role.group_id)
        if user.tenant_id is not None:
            bell.ring_on_commit(user.tenant_id)


@contextmanager
def keeping_an_owner(user: User, *, seen_by: Viewer | None = None) -> Iterator[None]:
    """
    Open a transaction in which the user's tenant may not lose its last active owner; raises ``LastOwner`` at its end.

    An owner hidden from ``seen_by`` does not count: that another one could go would tell that he is there. Of two such
    transactions in one tenant the second waits: each alone would leave the other's owner.
    """
    with transaction.atomic():
        owner = Role.objects.select_for_update(no_key=True).filter(tenant=user.tenant, name=OWNER).first()
        active_owners = User.objects.filter(tenant_id=user.tenant_id, is_active=True, groups__role=owner)
        if seen_by is not None:
            active_owners = active_owners.filter(pk__in=rights.visible_subjects(USER_CREATED, seen_by))
        had_one = owner is not None and active_owners.exists()
        yield
        if had_one and not active_owners.exists():
            raise LastOwner(tenant=user.tenant.slug if user.tenant else "", username=user.username)


def create_role(tenant: Tenant, name: str, *, permissions: Collection[str], default_grants: Collection[str]) -> Role:
    """
    Make a role of a tenant, with a group of its own; ``permissions`` are those on the tenant.

    Raises ``FieldsRefused`` for a name that no role can have, or that a role of the tenant has already.
    """
    refuse_invalid(Role(tenant=tenant, name=name), "name")
    if Role.objects.filter(tenant=tenant, name=name).exists():
        raise FieldsRefused({"name": [f"{tenant.slug} already has a role named {name}; choose another name."]})
    with transaction.atomic():
        group = Group.objects.create(name=f"tenant_{tenant.pk}_{name}")
        role = Role.objects.create(tenant=tenant, name=name, group=group)
        change_role(role, permissions=permissions, default_grants=default_grants)
    return role


def change_role(role: Role, *, permissions: Collection[str], default_grants: Collection[str]) -> None:
    """
    Make a role give just these permissions on the tenant, and these on every user created from now on.

    Grants on users that exist already stay as they are: they are for ``accounts.grants`` to take.
    """
    unknown = (set(permissions) - set(ON_TENANTS)) | (set(default_grants) - set(ON_USERS))
    if unknown:
        raise ValueError(f"permissions are {sorted(unknown)}; expected of {ON_TENANTS} and {ON_USERS}")
    with transaction.atomic():
        held = tenant_permissions_of(role)
        for codename in sorted(set(permissions) - held):
            assign_perm(codename, role.group, role.tenant)
        for codename in sorted(held - set(permissions)):
            remove_perm(codename, role.group, role.tenant)
        role.default_grants.set(
            Permission.objects.filter(content_type__app_label="accounts", codename__in=default_grants)
        )
        bell.ring_on_commit(role.tenant_id)


def delete_role(role: Role) -> None:
    """Delete a role with its group, and so all that it gave; raises ``Refused`` for the owners' role."""
    if role.name == OWNER:
        raise Refused("the role owner cannot be deleted; every tenant needs owners.")
    with transaction.atomic():
        role.group.delete()
        bell.ring_on_commit(role.tenant_id)


def forget_group(sender: type[Role], instance: Role, **kwargs: Any) -> None:
    """Delete the group of a role that is gone, by whatever path of the ORM: left alone it would go on giving."""
    Group.objects.filter(pk=instance.group_id).delete()
