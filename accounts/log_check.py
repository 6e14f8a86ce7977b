"""Whether the log tells of every user, by exactly one creation in its own tenant, and has no holes."""

from django.db.models import Count, Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.kinds import USER_CREATED
from accounts.models import User
from realtime.models import Event
from tenants.models import Head


def violations() -> list[str]:
    """Return a sentence for everything that the log should not allow; none if all is well."""
    return users_without_one_event() + logs_with_holes()


def users_without_one_event() -> list[str]:
    """Return a sentence for each user of a tenant that has not exactly one creation in that tenant's log."""
    creations = Event.objects.filter(kind=USER_CREATED.name, subject_id=OuterRef("pk"), tenant_id=OuterRef("tenant_id"))
    counted = creations.order_by().values("subject_id").annotate(count=Count("pk")).values("count")
    rows = User.objects.filter(tenant__isnull=False).annotate(events=Coalesce(Subquery(counted), 0)).exclude(events=1)
    return [
        f"user {user.pk} ({user.username} of {user.tenant}) has {user.events} {USER_CREATED.name} events; "
        "expected exactly one: it was made by other means than accounts.users or User.save()"
        for user in rows.select_related("tenant").order_by("pk").iterator()
    ]


def logs_with_holes() -> list[str]:
    """Return a sentence for each tenant whose positions have a hole, or do not reach its head."""
    places = Min("position"), Max("position"), Count("pk")
    heads = dict(Head.objects.values_list("tenant_id", "position"))
    return [
        f"the log of tenant {tenant_id} has {count} events from {first} to {last} with its head at "
        f"{heads.get(tenant_id, 0)}; expected no holes and the head at the last"
        for tenant_id, first, last, count in Event.objects.order_by().values_list("tenant_id").annotate(*places)
        if last != heads.get(tenant_id, 0) or last - first + 1 != count
    ]
