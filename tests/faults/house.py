"""The tenants and people of an experiment: made before it begins, by the product's own services."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from accounts import roles
from accounts.models import User
from accounts.permissions import WATCH_SIGNUPS
from accounts.provisioning import create_tenant
from accounts.users import Newcomer, import_users
from tenants.models import SignupPolicy
from tests.databases import Databases

PASSWORD = "correct-horse"
OWNER = "owner"
ROLES = (OWNER, "admin", "viewer", "auditor", "trainee")
"""Who sees everything; without origin; names alone; names and origin; nobody."""
BLIND = "trainee"


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who watches: in which tenant, under which name, in which role."""

    tenant: str
    username: str
    role: str
    user: str = ""

    @property
    def sees_somebody(self) -> bool:
        """Whether anything at all is shown to this role."""
        return self.role != BLIND


@dataclass(frozen=True, slots=True)
class House:
    """The tenants, and who watches; the first of each tenant is an owner."""

    tenants: tuple[str, ...]
    seats: tuple[Seat, ...]

    def owner_of(self, tenant: str) -> Seat:
        """Return an owner of a tenant."""
        return next(seat for seat in self.seats if seat.tenant == tenant and seat.role == OWNER)


def furnish(databases: Databases, url: str, *, tenants: int, viewers: int) -> House:
    """Make so many tenants (t1, t2 …), and spread so many viewers of all roles over them."""
    slugs = [f"t{number}" for number in range(1, tenants + 1)]
    seats = []
    for number in range(viewers):
        tenant, turn = slugs[number % tenants], number // tenants
        seats.append(Seat(tenant, f"watcher-{number}", ROLES[turn % len(ROLES)]))

    def make() -> House:
        with databases.using(url):
            for slug in slugs:
                _make_tenant(slug, [seat for seat in seats if seat.tenant == slug])
            User.objects.filter(tenant__isnull=False).update(password=make_password(PASSWORD))
            ids = dict(User.objects.values_list("username", "id"))
        placed = (Seat(s.tenant, s.username, s.role, str(ids[s.username])) for s in seats)
        return House(tuple(slugs), tuple(placed))

    # On a thread: whoever asks may be a coroutine's test, and the ORM refuses to run inside a loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(make).result()


def _make_tenant(slug: str, seats: Sequence[Seat]) -> None:
    tenant = create_tenant(slug=slug, name=slug.upper(), signup_policy=SignupPolicy.OPEN)
    roles.create_role(tenant, "auditor", permissions=(WATCH_SIGNUPS,), default_grants=("view_user", "view_user_origin"))
    roles.create_role(tenant, BLIND, permissions=(WATCH_SIGNUPS,), default_grants=())
    import_users(tenant=tenant, people=[Newcomer(seat.username, role=seat.role) for seat in seats])
