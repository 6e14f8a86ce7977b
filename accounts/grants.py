"""Grants on single users, beside those that roles receive on everybody: given, taken and listed here."""

from typing import TypeAlias, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from guardian.shortcuts import assign_perm

from accounts.acting import as_he_is_now, refuse_hidden
from accounts.kinds import USER_CREATED
from accounts.models import Role, User, UserGrantToGroup, UserGrantToUser
from accounts.permissions import MANAGE_GRANTS, ON_USERS
from accounts.refusals import NotHeld
from accounts.retries import retried
from realtime import bell, rights
from realtime.rights import Viewer

Grant: TypeAlias = UserGrantToUser | UserGrantToGroup


@retried
def give_grant(*, subject: User, permission: str, to: User | Role, given_by: Viewer | None = None) -> Grant:
    """
    Give a permission on one user to another user or to a role; returns the grant, which may have been there before.

    ``given_by`` None means the house itself. Raises ``NotHeld`` when the giver lacks that permission on that user, and
    ``ValueError`` for an unknown permission or a receiver of another tenant, and what ``as_he_is_now`` and
    ``refuse_hidden`` raise of the giver.
    """
    if permission not in ON_USERS:
        raise ValueError(f"permission is {permission!r}; expected one of {', '.join(ON_USERS)}")
    if subject.tenant_id is None or to.tenant_id != subject.tenant_id:
        raise ValueError(f"{to} is not of {subject}'s tenant; a grant stays within one tenant")
    with transaction.atomic():
        if given_by is not None:
            given_by = as_he_is_now(given_by, MANAGE_GRANTS)
            refuse_hidden(given_by, subject.pk, *([to.pk] if isinstance(to, User) else []))
            held = rights.permissions_on(USER_CREATED, given_by, [subject.pk])[subject.pk]
            if permission not in held:
                raise NotHeld(f"you do not hold {permission} on this user; ask somebody who does, such as an owner.")
        grant = assign_perm(permission, to.group if isinstance(to, Role) else to, subject)
        bell.ring_on_commit(subject.tenant_id)
    return cast("Grant", grant)  # of a permission named by its codename, on one object


@retried
def take_grant(grant: Grant, *, taken_by: Viewer | None = None) -> None:
    """
    Take a grant away; whoever saw something by it alone sees it no more.

    ``taken_by`` None means the house itself. Raises what ``as_he_is_now`` and ``refuse_hidden`` raise of him.
    """
    tenant_id = grant.content_object.tenant_id
    with transaction.atomic():
        type(grant).objects.filter(pk=grant.pk).delete()
        if taken_by is not None:
            taken_by = as_he_is_now(taken_by, MANAGE_GRANTS)  # after the deletion, which waits for other changes
            if not _shows(grant, taken_by):  # what goes may be all that he saw by, and then he saw until now
                refuse_hidden(taken_by, grant.content_object.pk)
        if tenant_id is not None:
            bell.ring_on_commit(tenant_id)


def grants_of(subject: User, *, seen_by: Viewer) -> tuple[QuerySet[UserGrantToGroup], QuerySet[UserGrantToUser]]:
    """
    Return the grants on a user: those of the tenant's roles, and those of the viewer and of users that he may see.

    A receiver hidden from the viewer stays hidden here: the grant would tell that he exists.
    """
    to_roles = UserGrantToGroup.objects.filter(content_object=subject, group__role__tenant=seen_by.tenant_id)
    seen = rights.visible_subjects(USER_CREATED, seen_by)
    to_users = UserGrantToUser.objects.filter(content_object=subject).filter(Q(user__in=seen) | Q(user=seen_by.user_id))
    return (
        to_roles.select_related("permission", "group__role", "content_object"),
        to_users.select_related("permission", "content_object"),
    )


def _shows(grant: Grant, viewer: Viewer) -> bool:
    if grant.permission.codename != USER_CREATED.hear:
        return False
    return grant.user_id == viewer.user_id if isinstance(grant, UserGrantToUser) else grant.group_id in viewer.group_ids


def grant_by_id(subject: User, grant_id: UUID, *, seen_by: Viewer) -> Grant | None:
    """Return the grant of that id among those that the viewer sees on a user, or None."""
    found = (grants.filter(pk=grant_id).first() for grants in grants_of(subject, seen_by=seen_by))
    return next((grant for grant in found if grant is not None), None)
