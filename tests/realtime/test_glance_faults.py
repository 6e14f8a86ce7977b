"""A statement without a cursor fails as one with a cursor does, and waits no longer."""

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg.sql import SQL

from realtime import snapshot
from realtime.snapshot import Plan, TenantPlan
from tenants.models import RightsCounter
from tests.realtime.house import make_tenant, make_user

pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.usefixtures("database"),
]


@pytest.fixture
def plan(database) -> Plan:
    """What is to be read of a tenant with one event, which is new."""
    tenant = make_tenant("acme")
    make_user(tenant, "bob")
    counter = RightsCounter.objects.get(tenant_id=tenant.pk).value
    return Plan((TenantPlan(tenant.pk, rights=counter, position=0, viewers={}),))


def _names(plan: Plan) -> list[str]:
    ((event,),) = snapshot.read(plan).pages.values()
    return [event.snapshot["username"]]


def test_a_server_that_hangs_up_is_called_again_by_the_next(plan, databases):
    assert _names(plan) == ["bob"]
    pid = connection.connection.info.backend_pid
    databases.postgres.execute(SQL("SELECT pg_terminate_backend({}, 20000)").format(pid))

    with pytest.raises(OperationalError, match="terminating connection|server closed"):
        snapshot.read(plan)

    assert _names(plan) == ["bob"]


def test_a_connection_that_was_closed_is_made_anew_by_the_next(plan):
    assert _names(plan) == ["bob"]
    connection.connection.close()

    with pytest.raises(OperationalError, match="no connection|is closed"):
        snapshot.read(plan)

    assert _names(plan) == ["bob"]


def test_it_waits_as_the_connection_does_which_may_be_an_impatient_one(plan, monkeypatch):
    assert _names(plan) == ["bob"]

    def impatient(self, generator, *args, **kwargs):
        self.pgconn.finish()
        raise psycopg.OperationalError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "wait", impatient)
        with pytest.raises(OperationalError, match="no answer"):
            snapshot.read(plan)

    assert _names(plan) == ["bob"]
