"""Bumps of transactions that overlap: on PostgreSQL alone, since SQLite has one writer at a time."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import User
from tenants.models import RightsCounter

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def counters():
    return dict(RightsCounter.objects.values_list("tenant_id", "value"))


def test_opposite_orders_do_not_wait_for_each_other(house):
    house.add("nina", tenant=house.globex)
    names = {(house.acme, house.globex): ["bob", "mallory"], (house.globex, house.acme): ["nina", "carol"]}
    both_changed, faults = threading.Barrier(2, timeout=20), []

    def change(*tenants):
        try:
            with transaction.atomic():
                for tenant in tenants:
                    User.objects.filter(tenant=tenant, username__in=names[tenants]).update(is_active=False)
                both_changed.wait()
        except OperationalError as error:  # such as a deadlock
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=tenants) for tenants in names]
    before = counters()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert counters() == before | {t.pk: before[t.pk] + 2 for t in (house.acme, house.globex)}
