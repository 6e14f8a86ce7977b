"""
Retention: events older than their tenant keeps them leave its log, the oldest first, so that what stays has no holes.

How old an event is its own id says, as it does for a cursor. Rows stay an hour longer than any cursor is accepted:
whoever resumes from the oldest of them has that long to read what comes after it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from realtime.identity import moment_of
from realtime.models import Event
from tenants.models import Tenant

KEPT_LONGER = timedelta(hours=1)
STEP = 500
"""How many positions one transaction removes, at most."""

Row = tuple[int, UUID, datetime]


def bounds(tenants: QuerySet[Tenant] | None = None) -> list[tuple[Tenant, datetime]]:
    """Return tenants, all or these, each with the moment before which its events may go, by the database's clock."""
    # One clock, and not that of whichever server does the housekeeping: it might be a week ahead.
    asked = (Tenant.objects.all() if tenants is None else tenants).annotate(now=Now()).order_by("pk")
    return [(tenant, tenant.now - timedelta(days=tenant.retention_days) - KEPT_LONGER) for tenant in asked]


def prune_all() -> Iterator[int]:
    """Remove, in every tenant, what is older than it keeps; yields after each step how many events it has removed."""
    for tenant, before in bounds():
        yield from prune(tenant.pk, before)


def prune(tenant_id: int, before: datetime) -> Iterator[int]:
    """
    Remove a tenant's events from the first on that are older than ``before``; yields how many each step has removed.

    It takes no lock that an append wants, and waits for none: neither a creation nor an erasure is held up, and two at
    once remove each event once.
    """
    while removed := _prune_step(tenant_id, before):
        yield removed


def prunable(tenant_id: int, before: datetime) -> int:
    """Return how many events ``prune`` would remove."""
    rows = _rows(tenant_id)
    first = rows.first()
    return 0 if first is None else _last_old(rows.iterator(), first[0], before) - first[0] + 1


def _prune_step(tenant_id: int, before: datetime) -> int:
    first = _rows(tenant_id).first()
    if first is None or _moment(first) >= before:
        return 0
    with transaction.atomic(durable=True):
        stretch = _rows(tenant_id).filter(position__range=(first[0], first[0] + STEP - 1))
        # A row that is being erased is not waited for, and ends the stretch: what comes after it stays with it.
        last = _last_old(stretch.select_for_update(skip_locked=True), first[0], before)
        removed, _ = Event.objects.filter(tenant_id=tenant_id, position__range=(first[0], last)).delete()
    return removed


def _rows(tenant_id: int) -> "QuerySet[Event, Row]":
    return Event.objects.filter(tenant_id=tenant_id).order_by("position").values_list("position", "id", "at")


def _last_old(rows: "QuerySet[Event, Row] | Iterator[Row]", first: int, before: datetime) -> int:
    """Return the last position up to which, from ``first`` on, all are here and old; ``first - 1`` if there is none."""
    last = first - 1
    for row in rows:
        if row[0] != last + 1 or _moment(row) >= before:
            break
        last = row[0]
    return last


def _moment(row: Row) -> datetime:
    return moment_of(row[1]) or row[2]
