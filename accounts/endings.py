"""
The end of sessions: written here and nowhere else.

Services end them by way of ``accounts.sessions``; that a new password ends all of them holds for whoever saves one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session, User
from realtime import bell

PASSWORD_CHANGED = "password_changed"  # noqa: S105  a reason, no password


def live_sessions(user: User) -> QuerySet[Session]:
    """Return the sessions of a user that have neither ended nor expired, newest first."""
    live = Session.objects.filter(user=user, ended_at=None, expires_at__gt=timezone.now())
    return live.order_by("-created_at", "-pk")


def end(sessions: QuerySet[Session], user: User, reason: str) -> int:
    """End these sessions of a user, and ring the bell after the commit; returns how many there were."""
    ended = sessions.order_by().update(ended_at=timezone.now(), end_reason=reason)
    if ended and user.tenant_id is not None:
        bell.ring_on_commit(user.tenant_id)
    return ended


@contextmanager
def a_new_password_ends_sessions(users: QuerySet[User]) -> Iterator[QuerySet[User]]:
    """
    End all live sessions of those among these users whose password the body changes, in one transaction with it.

    Yields the same users, locked: they stay these, whoever else would come to be among them meanwhile.
    """
    with transaction.atomic(using=users.db):
        # By key: rows of a query with DISTINCT, or joined to others, cannot be locked.
        locked = User.objects.filter(pk__in=users.order_by().values("pk")).select_for_update(no_key=True).order_by("pk")
        before: dict[UUID, str] = dict(locked.values_list("pk", "password"))
        yield users.filter(pk__in=before)
        for user in User.objects.filter(pk__in=before):
            if user.password != before[user.pk]:
                end(live_sessions(user), user, PASSWORD_CHANGED)
