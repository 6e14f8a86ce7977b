"""Who may call what: people of a tenant, holding this or that; operators; and which rows are there for a caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.acting import refuse_if_closed, refuse_without
from accounts.api.caller import standing_of, user_of
from accounts.api.problems import NotAuthorised, NotFound
from accounts.kinds import USER_CREATED
from accounts.models import User
from accounts.refusals import SessionEnded
from realtime import ports, rights, snapshot
from realtime.ports import Standing
from realtime.rights import Viewer
from tenants.models import Tenant, slug_rule


class OfTenant(BasePermission):
    """People of a tenant. An operator looks into no tenant."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the caller is a user of a tenant."""
        return isinstance(request.auth, Standing) and request.auth.tenant_id is not None


class Operator(BasePermission):
    """Operators of the platform."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the caller is of no tenant."""
        return isinstance(request.auth, Standing) and request.auth.tenant_id is None


class PlatformView(APIView):
    """A view for operators."""

    permission_classes = [Operator]


class TenantView(APIView):
    """A view of the caller's own tenant, which is the one that its session says, whatever the request says."""

    permission_classes = [OfTenant]

    @cached_property
    def viewer(self) -> Viewer:
        """The caller, as the judge knows him."""
        return rights.viewer_of(standing_of(self.request))

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """
        Have rows, the caller's rights and the grants read inside be of one moment, and write nothing.

        Read one after the other they could show what no moment allowed: a caller leaves a role, and only then the role
        is given more. Raises what ``refuse_if_closed`` raises of a caller who was shut out since he was let in: of
        what was committed after that he is shown nothing.
        """
        session_id = standing_of(self.request).session_id
        with snapshot.one_moment():
            standing = ports.people().standings([session_id]).get(session_id)
            if standing is None:
                raise SessionEnded
            refuse_if_closed(standing)
            self.viewer = rights.viewer_of(standing)
            yield

    @property
    def tenant(self) -> Tenant:
        """The caller's tenant."""
        tenant = user_of(self.request).tenant
        if tenant is None:
            raise NotAuthorised
        return tenant

    def require(self, *codenames: str) -> None:
        """Raise ``NotAuthorised`` unless the caller holds at least one of these permissions on the tenant."""
        refuse_without(self.viewer, *codenames)

    def visible_user(self, user_id: str) -> tuple[User, frozenset[str]]:
        """
        Return the user of that id with what the caller holds on it.

        Raises ``NotFound``, in the same words, for a user that never was, that is another tenant's or that is hidden.
        """
        identity = uuid_of(user_id)
        if identity is None:
            raise NotFound
        user = User.objects.filter(pk=identity, tenant_id=self.viewer.tenant_id).first()
        # Asked of whoever is not there too: a question less would tell, by the time of the answer, who is.
        held = rights.permissions_on(USER_CREATED, self.viewer, [identity])[identity]
        if user is None or USER_CREATED.hear not in held:
            raise NotFound
        return user, held


def tenant_named(slug: str) -> Tenant:
    """Return the tenant of that slug; raises ``NotFound``."""
    # Asked first whether it can be a slug: what a path may hold, PostgreSQL may not even compare with (NUL).
    tenant = Tenant.objects.filter(slug=slug).first() if is_slug(slug) else None
    if tenant is None:
        raise NotFound
    return tenant


def is_slug(text: str) -> bool:
    """Tell whether a tenant could have this slug."""
    try:
        slug_rule(text)
    except ValidationError:
        return False
    return True


def uuid_of(text: str) -> UUID | None:
    """Return the UUID that ``text`` spells in its usual form, or None."""
    try:
        identity = UUID(text)
    except ValueError:
        return None
    return identity if str(identity) == text.lower() else None
