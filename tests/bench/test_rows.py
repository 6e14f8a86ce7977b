"""What the benchmarks' publisher writes by COPY is what the product writes."""

import pytest
from django.db import connection

from accounts.models import User, UserGrantToGroup
from bench.usher.bells import Bells
from bench.usher.events import Creations
from bench.usher.people import BY_USER_KIND, create_tenants
from bench.usher.rows import UserRows
from realtime.models import Event
from tenants.models import Head, RightsChange, RightsCounter
from tests.realtime.layers import ear, settings_of

OWN = {"id", "username", "email", "full_name", "joined_at"}
ACME, GLOBEX = 0, 1


@pytest.fixture(autouse=True)
def _layer(redis, settings, monkeypatch):
    settings.CHANNEL_LAYERS = settings_of("pubsub", redis.url)
    monkeypatch.setenv("REDIS_URL", redis.url)


def left_by(tenant, name):
    """Return what the creation of a user left: columns, grants, event, and whether the log goes on without a hole."""
    user = User.objects.get(tenant=tenant, full_name=name)
    event = Event.objects.get(subject_id=user.pk)
    before = Event.objects.filter(tenant=tenant, position__lt=event.position).count()
    return {
        "columns": {f.attname: getattr(user, f.attname) for f in User._meta.concrete_fields if f.name not in OWN},
        "grants": sorted(UserGrantToGroup.objects.filter(content_object=user).values_list("group", "permission")),
        "said": {name: value for name, value in event.snapshot.items() if name not in OWN},
        "said of his own": {name for name in event.snapshot if event.snapshot.get(name) in {str(user.pk), user.email}},
        "kind": event.kind,
        "told at once": event.at == user.joined_at and event.snapshot["full_name"] == name,
        "follows": event.position == before + 1,
        "versions": {user.pk.version, event.pk.version},
    }


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_rows_are_those_of_a_creation(database):
    tenants = create_tenants("acme", 2, classes=len(BY_USER_KIND), is_sampled=False)
    acme, globex = (tenant for tenant, _ in tenants)
    Creations(tenants).publish([(GLOBEX, "erin"), (ACME, "dave")])
    rights = list(RightsCounter.objects.values_list()), RightsChange.objects.count()

    UserRows(tenants).publish([(ACME, "trent"), (GLOBEX, "olga"), (ACME, "peggy")])

    assert left_by(acme, "trent") == left_by(acme, "peggy") == left_by(acme, "dave")
    assert left_by(globex, "olga") == left_by(globex, "erin")
    assert left_by(acme, "dave")["grants"], "there is something to compare"
    assert dict(Head.objects.values_list("tenant", "position")) == {acme.pk: 3, globex.pk: 2}
    assert (list(RightsCounter.objects.values_list()), RightsChange.objects.count()) == rights
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",), "what else this process writes has its triggers"


async def test_bells_are_those_that_the_product_rings():
    heard = await ear(4711)
    heard_too = await ear(4712)

    Bells().ring({4711: 17, 4712: 3})

    assert await heard() == {"type": "usher.bell", "tenant": 4711, "head": 17}
    assert await heard_too() == {"type": "usher.bell", "tenant": 4712, "head": 3}
