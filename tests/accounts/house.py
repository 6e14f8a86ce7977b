"""Acme, globex and the people whose names carry their permissions, and each as a caller of the API."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.test import Client

from accounts.models import User
from accounts.permissions import ADMIN, OWNER, VIEWER, WATCH_SIGNUPS
from accounts.provisioning import create_tenant
from accounts.roles import create_role
from accounts.users import create_operator, create_user
from tenants.models import RightsChange, RightsCounter, SignupPolicy, Tenant

PASSWORD = "usher-demo"
# The fields of a user, by the permission that shows them.
PUBLIC = ["id", "username", "full_name", "joined_via", "joined_at"]
CONTACT = ["email", "phone"]
ORIGIN = ["address", "agent"]
ROLES = {"alice": OWNER, "peggy": ADMIN, "bob": VIEWER, "trent": "trainee", "carol": None}
"""Of acme. Trent's role may watch and receives no grants, so that he sees nobody; Carol is a member."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    body: Any
    bytes: bytes
    headers: Any


class Caller:
    """Somebody who calls the API, with an access token of his own or, as nobody, without."""

    def __init__(self, token: str | None = None) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        response = self._client.generic(
            method,
            path if path.startswith("http") else f"/api/v1/{path}",
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            headers=self._headers | headers,
        )
        said = json.loads(response.content) if response.content else None
        return Answer(response.status_code, said, response.content, response.headers)


class House:
    """The cast, in the database."""

    def __init__(self) -> None:
        self.acme = create_tenant(slug="acme", name="Acme", signup_policy=SignupPolicy.OPEN)
        self.globex = create_tenant(slug="globex", name="Globex", signup_policy=SignupPolicy.OPEN)
        create_role(self.acme, "trainee", permissions=[WATCH_SIGNUPS], default_grants=[])
        for name, role in ROLES.items():
            self.add(name, role=role, password=PASSWORD)
        self.add("mallory", tenant=self.globex, role=OWNER, password=PASSWORD)
        create_operator(username="olga", password=PASSWORD)
        self._callers: dict[str, Caller] = {}

    def add(self, name: str, *, tenant: Tenant | None = None, joined_via: str = "command", **fields: Any) -> User:
        """Add somebody, to acme unless told otherwise."""
        return create_user(tenant=tenant or self.acme, username=name, joined_via=joined_via, **fields)

    def user(self, name: str) -> User:
        """Return somebody as he is now."""
        return User.objects.select_related("tenant").get(username=name)

    def id(self, name: str) -> UUID:
        """Return somebody's id."""
        return self.user(name).pk

    def caller(self, name: str) -> Caller:
        """Return somebody, logged in."""
        if name not in self._callers:
            self._callers[name] = Caller(self.token(name))
        return self._callers[name]

    def token(self, name: str) -> str:
        """Log somebody in."""
        tenant = self.user(name).tenant
        credentials = {"username": name, "password": PASSWORD} | ({"tenant": tenant.slug} if tenant else {})
        answer = Caller()("POST", "auth/token", credentials)
        assert answer.status == 200, answer
        return answer.body["access"]

    def rights(self, tenant: Tenant | None = None) -> int:
        """Return a tenant's rights counter; acme's unless told otherwise."""
        rows = RightsCounter.objects.filter(tenant_id=(tenant or self.acme).pk)
        return rows.values_list("value", flat=True).first() or 0

    def changes_since(self, rights: int) -> list[RightsChange]:
        """Return the rows that acme's bumps have left since its counter was that."""
        return list(RightsChange.objects.filter(tenant_id=self.acme.pk, rights__gt=rights).order_by("pk"))
