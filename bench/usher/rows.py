"""
The rows of an event, written as fast as one core can: by COPY, past models, services and triggers.

What the server under test finds is what a creation leaves: subject, grants, event, head, and a bell after the commit.
tests/bench/test_rows.py compares it with what the product writes. PostgreSQL alone.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from accounts.creation import snapshot_of
from accounts.kinds import USER_CREATED
from accounts.models import Role, User, UserGrantToGroup
from bench.usher.bells import Bells
from bench.usher.events import Creations
from realtime.identity import new_id
from tenants.models import Tenant

Tenants = Sequence[tuple[Tenant, list[Role]]]
Grant = tuple[int, int]
"""A group's id and a permission's."""


class Rows:
    """Writes events of tenants; ``subject``, ``snapshot`` and ``given`` are each kind's."""

    kind = ""
    grants: type[models.Model]

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = [tenant for tenant, _ in tenants]
        self._given = self.given(tenants)
        self._bells = Bells()

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Write an event for each (tenant's place, marker), all in one transaction."""
        subjects = [(place, self.subject(self._tenants[place], marker)) for place, marker in events]
        with transaction.atomic(), connection.cursor() as cursor:
            # No trigger counts what a creation writes (docs/adr/0003), but each would look at every row.
            cursor.execute("SET LOCAL session_replication_role = replica")
            self._insert(cursor, [subject for _, subject in subjects])
            self._grant(cursor, subjects)
            self._log(cursor, subjects)

    def subject(self, tenant: Tenant, marker: str) -> Any:
        """Return what an event is about, not saved yet."""
        raise NotImplementedError

    def snapshot(self, subject: Any) -> dict[str, Any]:
        """Return what its event says of it."""
        raise NotImplementedError

    def given(self, tenants: Tenants) -> Sequence[Sequence[Grant]]:
        """Return the grants on a subject, for each tenant."""
        raise NotImplementedError

    def _insert(self, cursor: Any, subjects: Sequence[models.Model]) -> None:
        fields = subjects[0]._meta.concrete_fields
        names = [field.attname for field in fields]
        rows = ([getattr(subject, name) for name in names] for subject in subjects)
        _copy(cursor, type(subjects[0]), [str(field.column) for field in fields], rows)

    def _grant(self, cursor: Any, subjects: Sequence[tuple[int, Any]]) -> None:
        rows: Iterable[tuple[Any, ...]] = (
            (subject.pk, *grant) for place, subject in subjects for grant in self._given[place]
        )
        columns = ["content_object_id", "group_id", "permission_id"]
        if not isinstance(self.grants._meta.pk, models.AutoField):
            columns, rows = [*columns, "id"], ((*row, new_id()) for row in rows)
        _copy(cursor, self.grants, columns, rows)

    def _log(self, cursor: Any, subjects: Sequence[tuple[int, Any]]) -> None:
        from realtime.models import Event

        of_tenant: dict[int, list[Any]] = defaultdict(list)
        for place, subject in subjects:
            of_tenant[self._tenants[place].pk].append(subject)
        heads = _heads_after(cursor, {tenant: len(of_tenant[tenant]) for tenant in sorted(of_tenant)})
        rows = (
            (new_id(), tenant, heads[tenant] - len(own) + number, self.kind, subject.pk, *self._said(subject))
            for tenant, own in of_tenant.items()
            for number, subject in enumerate(own, start=1)
        )
        _copy(cursor, Event, ["id", "tenant_id", "position", "kind", "subject_id", "snapshot", "at"], rows)
        transaction.on_commit(lambda: self._bells.ring(heads))

    def _said(self, subject: Any) -> tuple[str, datetime]:
        return json.dumps(self.snapshot(subject)), getattr(subject, "joined_at", timezone.now())


class UserRows(Rows):
    """Users, as a sign-up leaves them; the marker is the full name, which every class of viewers sees."""

    kind = USER_CREATED.name
    grants = UserGrantToGroup

    def __init__(self, tenants: Tenants) -> None:
        super().__init__(tenants)
        # Names from before, of an earlier server on the same tenants, are taken.
        self._numbers = count(int(timezone.now().timestamp() * 1000) % 10**10 * 10**4)
        self._example = Creations(tenants).user(self._tenants[0], "")

    def subject(self, tenant: Tenant, marker: str) -> User:
        """Return a user, made from another one: Django's own making of one takes longer than all his rows."""
        user = copy(self._example)
        name = f"c{next(self._numbers)}"
        user.id, user.tenant_id, user.joined_at = new_id(), tenant.pk, timezone.now()
        user.username, user.full_name, user.email = name, marker, f"{name}@mail.test"
        return user

    def snapshot(self, subject: User) -> dict[str, Any]:
        """Return the product's own."""
        return snapshot_of(subject)

    def given(self, tenants: Tenants) -> Sequence[Sequence[Grant]]:
        """Return the default grants of each tenant's roles."""
        of_tenant: dict[int, list[Grant]] = defaultdict(list)
        receiving = Role.default_grants.through._default_manager.filter(role__tenant__in=[t for t, _ in tenants])
        for tenant, group, permission in receiving.values_list("role__tenant", "role__group", "permission"):
            of_tenant[tenant].append((group, permission))
        return [of_tenant[tenant.pk] for tenant, _ in tenants]


def _heads_after(cursor: Any, counts: Mapping[int, int]) -> dict[int, int]:
    """Move the heads of tenants on by so many, as ``realtime.log.append`` does; return where they are then."""
    cursor.execute(
        "INSERT INTO tenants_head (tenant_id, position) SELECT * FROM unnest(%s::bigint[], %s::bigint[]) "
        "ON CONFLICT (tenant_id) DO UPDATE SET position = tenants_head.position + excluded.position "
        "RETURNING tenant_id, position",
        [list(counts), list(counts.values())],
    )
    return dict(cursor.fetchall())


def _copy(cursor: Any, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN") as copying:
        for row in rows:
            copying.write_row(row)
