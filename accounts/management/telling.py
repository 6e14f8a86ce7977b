"""How a command says no: one line with the value, the expectation and the way out, and never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError

from accounts.refusals import Refused
from tenants.models import Tenant


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what a service refuses, and a database that is not there or not migrated, into a ``CommandError``."""
    try:
        yield
    except Refused as refusal:
        raise CommandError(str(refusal)) from None
    except (OperationalError, ProgrammingError) as error:
        said = str(error).strip().splitlines()[0]
        raise CommandError(
            f"the database says '{said}'; expected one that is up (DATABASE_URL) and migrated (manage.py migrate)"
        ) from None


def tenant_of_slug(slug: str) -> Tenant:
    """Return the tenant; raises ``CommandError``."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"the tenant is {slug!r}; expected one of: {known} (create_tenant makes one)")
    return tenant
