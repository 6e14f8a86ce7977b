"""The Django admin as an operator's browser has it: forms over HTTP, with cookies and the token against forgery."""

import re
from typing import Any

import httpx

from tests.stories.people import Person
from tests.stories.sockets import PATIENCE

USERS, TENANTS, ROLES = "/admin/accounts/user/", "/admin/tenants/tenant/", "/admin/accounts/role/"


class AdminPages:
    """The admin of one server, open to one operator from ``log_in`` on."""

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=PATIENCE, trust_env=False, verify=False)

    async def log_in(self, operator: Person) -> "AdminPages":
        """Log the operator in, and return these pages."""
        await self._client.get("/admin/login/")
        await self.post("/admin/login/?next=/admin/", username=operator.username, password=operator.password)
        return self

    async def post(self, path: str, **fields: Any) -> None:
        """Send a form that must be taken: one that is not is shown again, instead of leading on."""
        body = {"csrfmiddlewaretoken": self._client.cookies["csrftoken"], **fields}
        answer = await self._client.post(path, data=body)
        errors = re.findall(r'<ul class="errorlist.*?</ul>', answer.text, re.DOTALL)
        assert answer.status_code == httpx.codes.FOUND, f"{path}: {answer.status_code} {errors}"

    async def add_role(self, tenant: str, name: str, *permissions: str) -> str:
        """Add a role to a tenant, and return where it is changed and deleted."""
        number = number_in(await self.tenant(tenant))
        await self.post(f"{ROLES}add/", tenant=number, name=name, permissions=permissions)
        return await self.role(tenant, name)

    async def tenant(self, slug: str) -> str:
        """Return where a tenant's page is, such as ``/admin/tenants/tenant/7/``."""
        return await self._listed(TENANTS, slug)

    async def role(self, tenant: str, name: str) -> str:
        """Return where the page of a tenant's role is."""
        return await self._listed(ROLES, name, tenant__id__exact=number_in(await self.tenant(tenant)))

    async def _listed(self, pages: str, name: str, **among: str) -> str:
        answer = await self._client.get(pages, params={"all": "", **among})
        found = re.search(rf'href="({pages}[^/"]+/)change/[^"]*">{re.escape(name)}<', answer.text)
        assert found, f"{name} is not in {pages} {among}"
        return found[1]

    async def end(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def number_in(page: str) -> str:
    """Return the number by which forms name what a page is about."""
    return page.rstrip("/").rpartition("/")[2]
