"""What is timed in the publishing process itself: creations beside bare ones, an import; and a long list of users."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import JoinedVia, Role, User, UserGrantToGroup
from accounts.users import Newcomer, create_user, import_users
from bench.usher.events import AGENT, Creations
from realtime import bell
from realtime.identity import new_id
from tenants.models import Tenant

Tenants = Sequence[tuple[Tenant, list[Role]]]
WARM_UP = 5


class Costs:
    """Commands of the publisher that say how long something took."""

    def creations(self, tenants: Tenants, *, kind: str, count: int, pause: float) -> list[float]:
        """
        Return how many milliseconds each of so many creations took, one after the other, each a transaction.

        The pause after each is for those who hear of it: they share the core.
        """
        make = {"bare": _bare, "saved": _saved, "service": _by_service}[kind](tenants)
        took = []
        for _ in range(count + WARM_UP):
            began = time.perf_counter()
            make()
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(pause)
        bell.flush()
        return took[WARM_UP:]

    def imported(self, tenants: Tenants, *, count: int, first: int) -> float:
        """Return the seconds of one call that imports so many users, whose markers are numbered from ``first`` on."""
        tenant, _ = tenants[0]
        name = f"i{int(time.time() * 1000)}"
        people = [
            Newcomer(
                username=f"{name}-{number}",
                full_name=f"@t{time.monotonic_ns():019d}#{first + number:08d}@",
                email=f"{name}-{number}@mail.test",
            )
            for number in range(count)
        ]
        began = time.perf_counter()
        import_users(tenant=tenant, people=people)
        return time.perf_counter() - began

    def filled(self, tenants: Tenants, *, count: int) -> int:
        """
        Put so many users into a tenant, with their grants and events, past services and triggers; return how many.

        Only for lists that must be long before anything is measured, and on PostgreSQL alone.
        """
        tenant, _ = tenants[0]
        now = timezone.now()
        ids = [(new_id(), new_id()) for _ in range(count)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SELECT COALESCE(MAX(position), 0) FROM realtime_event WHERE tenant_id = %s", [tenant.pk])
            (head,) = cursor.fetchone()
            _copy(cursor, User, _user_columns(tenant, ids, now))
            rows = (
                (str(event), tenant.pk, head + place, "user.created", str(user), "{}", now)
                for place, (user, event) in enumerate(ids, start=1)
            )
            columns = "id, tenant_id, position, kind, subject_id, snapshot, at"
            with cursor.copy(f"COPY realtime_event ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            _copy(cursor, UserGrantToGroup, _grant_columns(tenant, ids))
            cursor.execute("UPDATE tenants_head SET position = %s WHERE tenant_id = %s", [head + count, tenant.pk])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return count


def _user_columns(tenant: Tenant, ids: Sequence[tuple[UUID, UUID]], now: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": str(user),
            "tenant_id": tenant.pk,
            "username": f"listed{number:06d}",
            "full_name": f"Listed Person {number}",
            "email": f"listed{number:06d}@mail.test",
            "phone": "",
            "joined_via": JoinedVia.IMPORT,
            "joined_at": now,
            "agent": "",
            "is_active": True,
            "is_staff": False,
            "is_superuser": False,
            "password": "!",
        }
        for number, (user, _) in enumerate(ids)
    ]


def _grant_columns(tenant: Tenant, ids: Sequence[tuple[UUID, UUID]]) -> list[dict[str, Any]]:
    permissions = {p.pk: p for p in Permission.objects.filter(content_type__app_label="accounts")}
    given = [
        (role.group_id, pk)
        for role in Role.objects.filter(tenant=tenant)
        for pk in role.default_grants.values_list("pk", flat=True)
        if pk in permissions
    ]
    return [
        {"id": str(new_id()), "group_id": group, "permission_id": permission, "content_object_id": str(user)}
        for user, _ in ids
        for group, permission in given
    ]


def _copy(cursor: Any, model: Any, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    table = model._meta.db_table
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[column] for column in columns])


def _bare(tenants: Tenants) -> Callable[[], object]:
    from bench.usher.models import BareUser

    creations = Creations(tenants)

    def make() -> None:
        user = creations.user(tenants[0][0], "somebody new")
        values = {field.name: getattr(user, field.name) for field in BareUser._meta.fields}
        with transaction.atomic():
            BareUser(**values).save(force_insert=True)

    return make


def _saved(tenants: Tenants) -> Callable[[], object]:
    creations = Creations(tenants)
    return lambda: creations.user(tenants[0][0], "somebody new").save()


def _by_service(tenants: Tenants) -> Callable[[], object]:
    creations = Creations(tenants)

    def make() -> None:
        user = creations.user(tenants[0][0], "somebody new")
        create_user(
            tenant=tenants[0][0],
            username=user.username,
            joined_via=JoinedVia.SIGNUP,
            full_name=user.full_name,
            email=user.email,
            phone=user.phone,
            address=user.address,
            agent=AGENT,
        )

    return make
