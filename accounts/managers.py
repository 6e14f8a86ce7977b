"""How users are made and found in bulk, and how grants on them are given in bulk."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec
from django.contrib.auth.base_user import BaseUserManager
from django.db import connections, models, router, transaction
from guardian.managers import GroupObjectPermissionManager

from realtime.json_rows import given_rows

if TYPE_CHECKING:
    from accounts.models import User, UserGrantToGroup


class UserQuerySet(models.QuerySet["User"]):
    """Users; to insert or update them in bulk does what saving each does: their creation, the end of their sessions."""

    def bulk_create(self, objs: Iterable["User"], *args: Any, **kwargs: Any) -> list["User"]:
        """
        Insert users in bulk, with their default grants and events, in one transaction.

        Raises ``ValueError`` when asked to ignore or update conflicts: which rows are new could not be told then.
        """
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise ValueError("users cannot be bulk-created with ignored or updated conflicts; create only new ones")
        from accounts.creation import record_creation
        from accounts.names import normalise_username

        users: Sequence[User] = list(objs)
        for user in users:
            user.username = normalise_username(user.username)
        # Like Django's own it makes no savepoint: whoever wants to go on after an error makes one.
        with transaction.atomic(using=self.db, savepoint=False):
            created = super().bulk_create(users, *args, **kwargs)
            record_creation([user for user in created if user.tenant_id is not None])
        return created

    def update(self, **kwargs: Any) -> int:
        """Update users in bulk (``bulk_update`` too comes here); new passwords end all sessions of those users."""
        if "password" not in kwargs:
            return super().update(**kwargs)
        from accounts.endings import a_new_password_ends_sessions

        with a_new_password_ends_sessions(self) as users:
            # Django's own update, which this one would only call again.
            return models.QuerySet.update(users, **kwargs)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Look-up by natural key is for operators alone: a username says nothing without its tenant."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the operator of that name; raises ``User.DoesNotExist``."""
        user: User = self.get(username=username, tenant=None)
        return user


_kept_back: ContextVar[list["UserGrantToGroup"] | None] = ContextVar("_kept_back", default=None)
GRANT_COLUMNS = {"id": "uuid", "permission_id": "bigint", "group_id": "bigint", "content_object_id": "uuid"}


class GroupGrantManager(GroupObjectPermissionManager):
    """Guardian's manager of grants on users to groups, which can also insert what several calls assign at once."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep back what is assigned to many in the body, for any permissions and users, and insert it at its end."""
        rows: list[UserGrantToGroup] = []
        token = _kept_back.set(rows)
        try:
            yield
        finally:
            _kept_back.reset(token)
        if rows:
            self._insert(rows)

    def bulk_create(self, objs: Iterable["UserGrantToGroup"], *args: Any, **kwargs: Any) -> list["UserGrantToGroup"]:
        """Insert grants, or keep them back (see ``together``): guardian's assignments to many end here."""
        kept_back = _kept_back.get()
        if kept_back is None:
            return super().bulk_create(objs, *args, **kwargs)
        if args or any(kwargs.values()):
            raise ValueError(f"grants that are kept back are just inserted; expected no options, not {args or kwargs}")
        rows = list(objs)
        kept_back += rows
        return rows

    def _insert(self, rows: list["UserGrantToGroup"]) -> None:
        # Not by bulk_create: to make the statement it takes longer than PostgreSQL to obey it.
        connection = connections[router.db_for_write(self.model)]
        fields = [self.model._meta.get_field(name.removesuffix("_id")) for name in GRANT_COLUMNS]
        given = [
            {field.attname: field.get_db_prep_value(getattr(row, field.attname), connection) for field in fields}
            for row in rows
        ]
        columns = ", ".join(GRANT_COLUMNS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.model._meta.db_table} ({columns}) SELECT {columns} FROM "  # noqa: S608  our own names
                + given_rows(connection.vendor, GRANT_COLUMNS),
                [msgspec.json.encode(given).decode()],
            )
