"""How users are made and found in bulk."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager
from django.db import models, transaction

if TYPE_CHECKING:
    from accounts.models import User


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
        # No savepoint, as Django's own has none: a failure undoes the whole transaction, and costs nothing until then.
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
