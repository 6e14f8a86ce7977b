"""Whether the log tells of every user, by exactly one creation in its own tenant, and has no holes."""

from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.kinds import USER_CREATED
from accounts.models import User
from realtime.cursors import CLOCKS_APART
from realtime.identity import moment_of
from realtime.models import Event
from tenants.models import LEAST_RETENTION_DAYS, Head


def violations() -> list[str]:
    """Return a sentence for everything that the log should not allow; none if all is well."""
    return users_without_one_event() + logs_with_holes()


def users_without_one_event() -> list[str]:
    """
    Return a sentence for each user of a tenant that has not exactly one creation in that tenant's log.

    Who joined before the oldest event that a log still has is not missed in it: retention has taken his.
    """
    pruned = _pruned_until()
    creations = Event.objects.filter(kind=USER_CREATED.name, subject_id=OuterRef("pk"), tenant_id=OuterRef("tenant_id"))
    counted = creations.order_by().values("subject_id").annotate(count=Count("pk")).values("count")
    rows = User.objects.filter(tenant__isnull=False).annotate(events=Coalesce(Subquery(counted), 0)).exclude(events=1)
    return [
        f"user {user.pk} ({user.username} of {user.tenant}) has {user.events} {USER_CREATED.name} events; "
        "expected exactly one: it was made by other means than accounts.users or User.save()"
        for user in rows.select_related("tenant").order_by("pk").iterator()
        if user.events or user.tenant_id not in pruned or user.joined_at >= pruned[user.tenant_id]
    ]


def _pruned_until() -> dict[int, datetime]:
    """Return, for each tenant whose log has lost its beginning, the time before which its events may be gone."""
    kept = Event.objects.filter(tenant_id=OuterRef("tenant_id")).order_by("position")
    firsts = {name: Subquery(kept.values(name)[:1]) for name in ("position", "id", "at")}
    heads = Head.objects.filter(position__gt=0).values_list("tenant_id", *firsts.values())
    yesterday = timezone.now() - timedelta(days=LEAST_RETENTION_DAYS)
    return {
        tenant_id: yesterday if first is None else (moment_of(event_id) or at) + CLOCKS_APART
        for tenant_id, first, event_id, at in heads
        if first != 1
    }


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
