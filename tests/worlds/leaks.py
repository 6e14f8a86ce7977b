"""
An app that makes a server leak, in one way on each of several surfaces: the comparison of worlds must notice each.

None of these shows anything where nobody is hidden.
"""

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig


class Leaks(AppConfig):
    """Put last among the apps, it undoes what the others take care of."""

    name = "tests.worlds.leaks"

    def ready(self) -> None:
        """Leak."""
        for leak in LEAKS.values():
            leak()


def _tell_of_fields_of_the_hidden() -> None:
    from realtime import changes

    changes.visible_set = lambda kind, permissions: kind.permissions & permissions


def _take_any_event_for_a_cursor() -> None:
    from realtime import cursors

    cursors.visible_set = lambda kind, permissions: frozenset([kind.hear])


def _refuse_instead_of_finding_nothing() -> None:
    from accounts.api.permissions import TenantView
    from accounts.api.problems import NotAuthorised
    from accounts.models import User

    visible_user = TenantView.visible_user

    def telling(self: Any, user_id: str) -> tuple[User, frozenset[str]]:
        try:
            return visible_user(self, user_id)
        except Exception:
            if User.objects.filter(pk=user_id, tenant_id=self.viewer.tenant_id).exists():
                raise NotAuthorised from None
            raise

    TenantView.visible_user = telling


def _count_hidden_owners() -> None:
    from accounts import roles, users

    keeping = roles.keeping_an_owner
    users.roles.keeping_an_owner = lambda user, seen_by=None: keeping(user)


LEAKS: dict[tuple[str, str], Callable[[], None]] = {
    ("bob", "live"): _tell_of_fields_of_the_hidden,
    ("bob", "resuming"): _take_any_event_for_a_cursor,
    ("bob", "rows"): _refuse_instead_of_finding_nothing,
    ("victor", "errors"): _count_hidden_owners,
}
"""Viewer and surface where a leak shows -> what makes it."""
