"""The databases of the tests themselves: each test's own, on both kinds, and real to the last trigger."""

import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from accounts.models import User
from accounts.provisioning import create_tenant
from accounts.users import create_user
from tenants.models import RightsCounter, Tenant

pytestmark = pytest.mark.each_database


@pytest.mark.parametrize("_again", range(2))
def test_a_test_finds_nothing_of_another(database, _again):
    assert connection.vendor == database.vendor
    assert not Tenant.objects.exists()

    create_tenant(slug="acme", name="Acme")


def test_no_test_runs_inside_a_transaction(database):
    happened = []

    assert not connection.in_atomic_block
    with transaction.atomic():
        transaction.on_commit(lambda: happened.append("committed"))
    assert happened


def test_triggers_are_there(database):
    tenant = create_tenant(slug="acme", name="Acme")
    before = RightsCounter.objects.get(tenant_id=tenant.pk).value

    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)

    assert RightsCounter.objects.get(tenant_id=tenant.pk).value > before


def test_other_threads_use_the_same_database(database):
    tenant = create_tenant(slug="acme", name="Acme")
    thread = threading.Thread(target=lambda: create_user(tenant=tenant, username="dave", joined_via="api"))

    thread.start()
    thread.join()

    assert User.objects.get().username == "dave"


@pytest.mark.parametrize("_again", range(2))
async def test_coroutines_use_the_same_database(database, _again):
    await sync_to_async(create_tenant)(slug="acme", name="Acme")

    assert await Tenant.objects.acount() == 1


@pytest.mark.django_db
def test_the_mark_of_pytest_django_means_the_same(client):
    assert not connection.in_atomic_block
    assert not Tenant.objects.exists()
