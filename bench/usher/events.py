"""Users as the benchmarks create them, by the product's own models."""

from collections.abc import Sequence
from itertools import count

from django.utils import timezone

from accounts.models import JoinedVia, Role, User
from bench.usher.people import UNUSABLE
from tenants.models import Tenant

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"


class Creations:
    """Users, as a sign-up leaves them; the marker is the full name, which every class of viewers sees."""

    def __init__(self, tenants: Sequence[tuple[Tenant, list[Role]]]) -> None:
        self._tenants = [tenant for tenant, _ in tenants]
        # Names from before, of an earlier server on the same tenants, are taken.
        self._numbers = count(int(timezone.now().timestamp() * 1000) % 10**10 * 10**4)

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Create a user for each (tenant's place, marker)."""
        User.objects.bulk_create([self.user(self._tenants[place], marker) for place, marker in events])

    def user(self, tenant: Tenant, marker: str) -> User:
        """Return a user who is not saved yet."""
        number = next(self._numbers)
        return User(
            tenant=tenant,
            username=f"n{number}",
            full_name=marker,
            email=f"n{number}@mail.test",
            phone="+49 30 1234567",
            joined_via=JoinedVia.SIGNUP,
            address="203.0.113.7",
            agent=AGENT,
            password=UNUSABLE,
        )
