"""
The benchmarks' tenants and viewers, made by the product's own services and models; and tokens for their sessions.

Each socket has a user and a session of its own, as each pair of eyes has.
"""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import JoinedVia, Role, Session, User
from accounts.permissions import ADMIN, OWNER, VIEW_USER, VIEW_USER_ORIGIN, VIEWER, WATCH_SIGNUPS
from accounts.provisioning import create_tenant
from accounts.roles import create_role, role_named
from accounts.sessions import LIFETIME
from accounts.tokens import pair_of
from tenants.models import SignupPolicy, Tenant

CHUNK = 500
UNUSABLE = "!"
ORIGIN = "origin"
BY_USER_KIND = (OWNER, ADMIN, VIEWER, ORIGIN)
"""The roles whose holders see a new user in four ways: all of it, contacts, neither, origin."""


def create_tenants(prefix: str, count: int, *, classes: int, is_sampled: bool) -> list[tuple[Tenant, list[Role]]]:
    """Return new tenants, each with the roles of its classes of viewers."""
    made = []
    for number in range(count):
        with transaction.atomic():
            tenant = create_tenant(
                slug=f"{prefix}-{number}", name=f"{prefix} {number}", signup_policy=SignupPolicy.OPEN
            )
            made.append((tenant, _roles_of(tenant, classes, is_sampled=is_sampled)))
    return made


def _roles_of(tenant: Tenant, classes: int, *, is_sampled: bool) -> list[Role]:
    if is_sampled:
        names = [f"class-{number}" for number in range(classes)]
        return [create_role(tenant, name, permissions=[WATCH_SIGNUPS], default_grants=[]) for name in names]
    if classes == len(BY_USER_KIND):
        grants = [VIEW_USER, VIEW_USER_ORIGIN]
        create_role(tenant, ORIGIN, permissions=[WATCH_SIGNUPS], default_grants=grants)
    return [role_named(tenant.pk, name) for name in BY_USER_KIND[:classes]]


def create_viewers(tenants: Sequence[tuple[Tenant, list[Role]]], each: int) -> list[Session]:
    """Return the sessions of ``each`` new viewers of each tenant, of its classes in turn."""
    users = list(_viewers(tenants, each))
    sessions = []
    for start in range(0, len(users), CHUNK):
        made = User.objects.bulk_create(users[start : start + CHUNK])
        now = timezone.now()
        sessions += Session.objects.bulk_create(
            Session(user=user, created_at=now, expires_at=now + LIFETIME, refresh_jti=str(uuid4()), refreshed_at=now)
            for user in made
        )
    return sessions


def _viewers(tenants: Sequence[tuple[Tenant, list[Role]]], each: int) -> Iterator[User]:
    for tenant, roles in tenants:
        for number in range(each):
            user = User(tenant=tenant, username=f"viewer {number}", joined_via=JoinedVia.COMMAND, password=UNUSABLE)
            user.first_role = roles[number % len(roles)]
            yield user


def tokens_of(sessions: Sequence[Session]) -> list[str]:
    """Return an access token for each session, minted now."""
    now = timezone.now()
    tokens = []
    for session in sessions:
        session.refreshed_at = now
        tokens.append(pair_of(session).access)
    return tokens
