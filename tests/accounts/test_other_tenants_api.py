"""A request acts in the tenant of its session, whatever else it may name."""

import pytest

from accounts.models import User
from tests.accounts.house import PASSWORD

NAMED = [
    ("?tenant=globex", {}),
    ("?tenant={globex}", {}),
    ("?tenant_id={globex}", {}),
    ("", {"X-Tenant": "globex"}),
    ("", {"X-Tenant-ID": "{globex}"}),
    ("", {"Tenant": "globex"}),
    ("", {"Host": "globex.localhost"}),
    ("", {"Cookie": "tenant=globex"}),
]


@pytest.mark.parametrize(("query", "headers"), NAMED, ids=str)
def test_whoever_names_another_tenant_acts_in_his_own(house, query, headers, settings):
    settings.ALLOWED_HOSTS = ["*"]
    query = query.format(globex=house.globex.pk)
    headers = {name: text.format(globex=house.globex.pk) for name, text in headers.items()}
    alice = house.caller("alice")

    created = alice("POST", f"users{query}", {"username": "erin", "role": "owner", "password": PASSWORD}, **headers)
    listed = alice("GET", f"users{query}", **headers)
    foreign = alice("GET", f"users/{house.id('mallory')}{query}", **headers)
    me = alice("GET", f"me{query}", **headers)

    assert created.status == 201
    assert set(User.objects.filter(tenant=house.globex).values_list("username", flat=True)) == {"mallory"}
    assert house.user("erin").tenant == house.acme
    assert "mallory" not in str(listed.body)
    assert foreign.status == 404
    assert me.body["tenant"]["slug"] == "acme"
