"""
Whether somebody may do what he asks for, as he stands at this moment: his session, his tenant, what he holds on it.

What waits, for a place to hash or for a lock, asks again inside its transaction: it is carried out by who may do it
then, not by who might when he came. Who holds what, the judge says.
"""

import time
from uuid import UUID

from accounts.kinds import USER_CREATED
from accounts.refusals import Hidden, NotAuthorised, SessionEnded, SignupClosed, TenantSuspended
from realtime import ports, rights
from realtime.ports import Standing
from realtime.rights import Viewer
from tenants.models import SignupPolicy, Tenant


def as_he_is_now(viewer: Viewer, *needed: str) -> Viewer:
    """
    Return a viewer with the rights that he has in the transaction that is open, if he may still act.

    ``needed``: permissions on the tenant of which he must hold one. Raises ``SessionEnded``, ``TenantSuspended`` and
    ``NotAuthorised``.
    """
    standing = ports.people().standings([viewer.session_id]).get(viewer.session_id)
    if standing is None:
        raise SessionEnded
    refuse_if_closed(standing)
    now = rights.viewer_of(standing)
    refuse_without(now, *needed)
    return now


def refuse_if_closed(standing: Standing) -> None:
    """Raise the refusal that a session's standing calls for, if any; the order is that of the sockets' judge."""
    if not standing.is_user_active:
        raise NotAuthorised("This user is deactivated.")
    if standing.session_ended or standing.session_expires_at <= time.time():
        raise SessionEnded
    if not standing.is_tenant_active:
        raise TenantSuspended


def refuse_without(viewer: Viewer, *codenames: str) -> None:
    """Raise ``NotAuthorised`` unless a viewer holds at least one of these permissions on his tenant."""
    if not viewer.permissions.intersection(codenames):
        raise NotAuthorised(f"This needs {' or '.join(codenames)} on your tenant; ask an owner of it.")


def refuse_hidden(viewer: Viewer, *user_ids: UUID) -> None:
    """Raise ``Hidden`` unless a viewer may see all of these users, in the transaction that is open."""
    held = rights.permissions_on(USER_CREATED, viewer, user_ids)
    if not all(USER_CREATED.hear in held[user_id] for user_id in user_ids):
        raise Hidden


def refuse_at_closed_doors(tenant: Tenant) -> None:
    """Raise ``TenantSuspended`` or ``SignupClosed`` where nobody may join by himself."""
    if not tenant.is_active:
        raise TenantSuspended
    if tenant.signup_policy != SignupPolicy.OPEN:
        raise SignupClosed(tenant=tenant.slug, policy=tenant.signup_policy)
