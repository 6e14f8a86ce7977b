"""The demo: two tenants and the people whose names carry their permissions."""

import os
import sys
from dataclasses import dataclass
from random import Random

from django.conf import settings

from accounts.models import JoinedVia, Role, User
from accounts.permissions import OWNER, VIEWER, WATCH_SIGNUPS
from accounts.provisioning import create_tenant
from accounts.roles import create_role
from accounts.users import create_operator, create_user
from clients.terminal.newcomers import newcomer
from tenants.models import SignupPolicy, Tenant

PASSWORD = "usher-demo"  # noqa: S105  everybody knows it, which is why the demo stays on this machine
TRAINEE = "trainee"
"""A role that may watch, and receives no grants on anybody."""
ACME, GLOBEX = "acme", "globex"
TENANTS = {ACME: "Acme", GLOBEX: "Globex"}
WAYS = {
    JoinedVia.SIGNUP: 10,
    JoinedVia.INVITE: 4,
    JoinedVia.IMPORT: 3,
    JoinedVia.API: 2,
    JoinedVia.ADMIN: 1,
    JoinedVia.COMMAND: 1,
}
"""How people who are made up have joined, and how often that is in comparison."""
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36",
    "okhttp/5.3.0",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo, and what he or she sees. Without a tenant: an operator."""

    username: str
    tenant: str | None
    role: str | None
    full_name: str
    sees: str

    @property
    def email(self) -> str:
        """An address that no mail can reach."""
        return f"{self.username}@{self.tenant or 'usher'}.test"


PEOPLE = (
    Person("alice", ACME, OWNER, "Alice Archer", "every sign-up at acme, with every field"),
    Person("bob", ACME, VIEWER, "Bob Baker", "every sign-up at acme, without e-mail, phone, address and agent"),
    Person("trent", ACME, TRAINEE, "Trent Tailor", "nobody, although he may watch"),
    Person("carol", ACME, None, "Carol Carter", "nothing: she may not watch"),
    Person("mallory", GLOBEX, OWNER, "Mallory Mason", "globex alone, and not a trace of acme"),
    Person(
        "olga", None, None, "Olga Osborne", "the operators' side: /admin/ and the platform's API, no tenant's events"
    ),
)


class DemoNotAllowed(Exception):
    """This is no demo: people whose password everybody knows have no business here."""


def load() -> int:
    """
    Create what the demo does not have yet, and return how many people that were; what is there stays as it is.

    Raises ``DemoNotAllowed`` unless ``USHER_DEMO`` is 1.
    """
    if not settings.USHER.demo:
        raise DemoNotAllowed("USHER_DEMO is 0; expected 1, which `make run` sets, before demo people are created")
    tenants = {slug: _tenant(slug, name) for slug, name in TENANTS.items()}
    if not Role.objects.filter(tenant=tenants[ACME], name=TRAINEE).exists():
        create_role(tenants[ACME], TRAINEE, permissions=(WATCH_SIGNUPS,), default_grants=())
    names = [person.username for person in PEOPLE]
    there = set(User.objects.filter(username__in=names).values_list("tenant__slug", "username"))
    missing = [person for person in PEOPLE if (person.tenant, person.username) not in there]
    for person in missing:
        _create(person, tenants)
    return len(missing)


def sign_up_somebody(tenant: Tenant, random: Random) -> None:
    """Make somebody up, and create him in a tenant as whatever way he came by would have; raises what that raises."""
    (way,) = random.choices(list(WAYS), list(WAYS.values()))
    person = newcomer(random)
    create_user(
        tenant=tenant,
        joined_via=way,
        username=person.username,
        full_name=person.full_name,
        email=person.email,
        phone=person.phone,
        address=f"198.51.100.{random.randrange(1, 255)}",
        agent=random.choice(AGENTS),
    )


def banner(host: str, port: int) -> str:
    """Return what a newcomer needs after the start: the address, the people, and two lines to copy."""
    address = address_of(host, port)
    people = "\n".join(f"  {p.tenant or '-':<7} {p.username:<8} {p.role or '-':<8} sees {p.sees}" for p in PEOPLE)
    return f"""\
Usher is at {address} (what its API offers: {address}/api/docs/)

The people of the demo; the password of all is {PASSWORD}
{people}

Sign somebody up (again and again: the name is another one each time)
  {signup_line(address)}

Watch, in another terminal (or as bob, trent or carol)
  {watch_line(address)}
"""


def address_of(host: str, port: int) -> str:
    """Return where a server that listens on ``host`` and ``port`` is found from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  a comparison, no listener
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def signup_line(address: str) -> str:
    """Return the command that signs somebody up at acme."""
    # $RANDOM alone is empty in a shell such as dash, and the second newcomer's name would be taken.
    name = "dave-$(date +%H%M%S)$RANDOM"
    body = f'{{"username": "{name}", "password": "correct-horse", "email": "dave@mail.test"}}'
    escaped = body.replace('"', '\\"')
    return f'curl {address}/api/v1/tenants/{ACME}/signup -H "Content-Type: application/json" -d "{escaped}"'


def watch_line(address: str) -> str:
    """Return the command that watches acme as Alice."""
    python = os.path.relpath(sys.executable)
    if python.startswith(".."):
        python = sys.executable
    return f"USHER_PASSWORD={PASSWORD} {python} manage.py watch --url {address} --tenant {ACME} --username alice"


def _tenant(slug: str, name: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    return tenant or create_tenant(slug=slug, name=name, signup_policy=SignupPolicy.OPEN)


def _create(person: Person, tenants: dict[str, Tenant]) -> None:
    if person.tenant is None:
        create_operator(username=person.username, password=PASSWORD, full_name=person.full_name, email=person.email)
        return
    create_user(
        tenant=tenants[person.tenant],
        username=person.username,
        password=PASSWORD,
        full_name=person.full_name,
        email=person.email,
        role=person.role,
        joined_via=JoinedVia.COMMAND,
    )
