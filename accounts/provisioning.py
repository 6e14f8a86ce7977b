"""Tenants: how one begins, with its first roles, and what operators change of it."""

from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.fields import refuse_invalid
from accounts.idempotency import Once
from accounts.permissions import FIRST_ROLES
from accounts.refusals import SlugTaken
from accounts.retries import retried
from realtime import bell
from tenants.models import SignupPolicy, Tenant


@retried
def create_tenant(
    *, slug: str, name: str, signup_policy: str = SignupPolicy.CLOSED, once: Once | None = None
) -> Tenant:
    """
    Create a tenant with the roles that every tenant begins with: owner, admin and viewer.

    Raises ``FieldsRefused`` for a slug, name or policy that no tenant can have, ``SlugTaken`` for a slug in use; with a
    key, ``once``, what its ``claim`` raises.
    """
    tenant = Tenant(slug=slug, name=name, signup_policy=signup_policy)
    refuse_invalid(tenant, "slug", "name", "signup_policy")
    try:
        with transaction.atomic():
            if once is not None:
                once.claim(slug)
            tenant.save(force_insert=True)
            provide_first_roles(tenant)
    except IntegrityError:
        if Tenant.objects.filter(slug=slug).exists():
            raise SlugTaken(slug) from None
        raise
    return tenant


def provide_first_roles(tenant: Tenant) -> None:
    """Give a tenant that was just created its first roles."""
    for role, (permissions, default_grants) in FIRST_ROLES.items():
        roles.create_role(tenant, role, permissions=permissions, default_grants=default_grants)


class TenantChanges(TypedDict, total=False):
    """What operators may change of a tenant; what is not named stays."""

    name: str
    is_active: bool
    signup_policy: str
    retention_days: int


@retried
def change_tenant(tenant: Tenant, **changes: Unpack[TenantChanges]) -> Tenant:
    """
    Change a tenant and return it as it is now.

    Suspending it (``is_active`` False) closes it at once for all its people until it is resumed; nothing of it is lost.
    """
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        was_active = tenant.is_active
        for field, value in changes.items():
            setattr(tenant, field, value)
        refuse_invalid(tenant, *changes)
        tenant.save(update_fields=list(changes))
        if tenant.is_active != was_active:
            bell.ring_on_commit(tenant.pk)
    return tenant
