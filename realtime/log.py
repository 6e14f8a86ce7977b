"""The log: what happened in a tenant, in commit order, without holes. Features append; the hub's snapshot reads."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import starmap
from typing import Any
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.models import Q, QuerySet

from realtime.kinds import kind_named
from realtime.models import Event
from realtime.projection import LoggedEvent

PAGE = 200
"""How many positions one read goes forward, at most."""

COLUMNS = "e.position, e.id, e.kind, e.subject_id, CAST(e.snapshot AS text), e.at"
"""What ``event_of`` makes an event of, with its tenant's id."""


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that is about to be appended. ``snapshot`` holds every declared field, whoever may see it."""

    kind: str
    subject_id: UUID
    snapshot: dict[str, Any]
    at: datetime


def append(*, tenant_id: int, events: Sequence[EventDraft]) -> int:
    """
    Append events to a tenant's log, in the order given, and return the position of the last.

    Call it as the last statement of the transaction that made the events true: it takes the lock of the tenant's head
    row and holds it until the commit. Code that appends for several tenants goes in the order of their ids, or two
    transactions may wait for each other. Raises ``TransactionManagementError`` outside a transaction, ``UnknownKind``
    for a kind that nobody declared.
    """
    using = router.db_for_write(Event)
    connection = connections[using]
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("append() outside a transaction; open transaction.atomic() first")
    for event in events:
        kind_named(event.kind)
    # The lock, not a sequence, orders events: sequence values become visible out of commit order, and a reader that
    # has passed 8 would never see 7.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_head (tenant_id, position) VALUES (%s, %s) ON CONFLICT (tenant_id) "
            "DO UPDATE SET position = tenants_head.position + excluded.position RETURNING position",
            [tenant_id, len(events)],
        )
        (head,) = cursor.fetchone()
    first = head - len(events) + 1
    Event.objects.using(using).bulk_create(
        Event(
            tenant_id=tenant_id,
            position=first + place,
            kind=e.kind,
            subject_id=e.subject_id,
            snapshot=e.snapshot,
            at=e.at,
        )
        for place, e in enumerate(events)
    )
    return int(head)


Page = tuple[int, int, int]
"""A stretch of a tenant's log: the tenant's id, the position after which it begins, and how far it goes at most."""


def pages(wanted: Iterable[Page]) -> dict[Page, list[LoggedEvent]]:
    """Return the events of each page, in order; in one query."""
    found: dict[Page, list[LoggedEvent]] = {page: [] for page in wanted}
    if not found:
        return found
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            f"SELECT k.b, k.c, e.tenant_id, {COLUMNS} "  # noqa: S608
            f"FROM {triples_in(cursor.db.vendor)} k JOIN realtime_event e ON e.tenant_id = k.a "
            "AND e.position > k.b AND e.position <= k.b + k.c ORDER BY e.tenant_id, k.b, e.position",
            [json.dumps(list(found))],
        )
        for after, length, *row in cursor.fetchall():
            event = event_of(*row)
            found[event.tenant_id, after, length].append(event)
    return found


def find(event_ids: Iterable[UUID]) -> dict[UUID | None, LoggedEvent]:
    """Return the events with these ids that exist, of whichever tenant, by id; in one query."""
    wanted = list(event_ids)
    if not wanted:
        return {}
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        field = Event._meta.pk
        places = ", ".join(["%s"] * len(wanted))
        cursor.execute(
            f"SELECT e.tenant_id, {COLUMNS} FROM realtime_event e WHERE e.id IN ({places})",  # noqa: S608  placeholders only
            [field.get_db_prep_value(event_id, cursor.db) for event_id in wanted],
        )
        return {event.id: event for event in starmap(event_of, cursor.fetchall())}


def count(*, tenant_id: int, after: int, heard: Mapping[str, QuerySet[Any]], most: int) -> int:
    """Return how many events after a position are of a kind and subject in ``heard`` (kind -> subject ids)."""
    visible = Q(pk__in=())
    for name, subjects in heard.items():
        visible |= Q(kind=name, subject_id__in=subjects)
    return Event.objects.filter(visible, tenant_id=tenant_id, position__gt=after)[:most].count()


def pairs_in(vendor: str) -> str:
    """Return SQL for a table with columns a and b, made of one parameter: JSON, a list of pairs of integers."""
    if vendor == "postgresql":
        return "(SELECT (pair->>0)::bigint AS a, (pair->>1)::bigint AS b FROM json_array_elements(%s::json) AS j(pair))"
    return "(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each(%s))"


def triples_in(vendor: str) -> str:
    """Return the same of three integers: a, b and c."""
    if vendor == "postgresql":
        columns = ", ".join(f"(triple->>{place})::bigint AS {name}" for place, name in enumerate("abc"))
        return f"(SELECT {columns} FROM json_array_elements(%s::json) AS j(triple))"  # noqa: S608  names of our own
    columns = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate("abc"))
    return f"(SELECT {columns} FROM json_each(%s))"  # noqa: S608  as above


def event_of(  # noqa: PLR0917  a row
    tenant_id: int, position: int, identity: UUID | str, kind: str, subject_id: UUID | str, snapshot: str, at: datetime
) -> LoggedEvent:
    """Return the event of a row: its tenant's id, then ``COLUMNS``."""
    # Raw rows: SQLite has no type for ids, and its times come without their zone, which is always UTC.
    return LoggedEvent(
        tenant_id,
        position,
        identity if isinstance(identity, UUID) else UUID(identity),
        kind,
        subject_id if isinstance(subject_id, UUID) else UUID(subject_id),
        msgspec.json.decode(snapshot),
        at if at.tzinfo is not None else at.replace(tzinfo=UTC),
    )
