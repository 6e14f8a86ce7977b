"""Who stands behind a session: the answer of accounts to what realtime/ asks."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from accounts.models import Session, User
from realtime.ports import Standing

COLUMNS = (
    "pk",
    "user_id",
    "user__username",
    "user__tenant_id",
    "user__tenant__slug",
    "user__is_active",
    "user__tenant__is_active",
    "ended_at",
    "expires_at",
)


class AccountsPeople:
    """Fills ``realtime.ports.People``."""

    def standings(self, session_ids: Collection[UUID]) -> dict[UUID, Standing]:
        """
        Return the standing of each session that exists, in two queries however many are asked for.

        They run on the caller's connection and in its transaction, so that the hub reads them in its own snapshot.
        """
        rows = list(Session.objects.filter(pk__in=session_ids).values(*COLUMNS)) if session_ids else []
        groups = _groups_of({row["user_id"] for row in rows})
        return {
            row["pk"]: Standing(
                session_id=row["pk"],
                user_id=row["user_id"],
                username=row["user__username"],
                tenant_id=row["user__tenant_id"],
                tenant_slug=row["user__tenant__slug"],
                is_user_active=row["user__is_active"],
                is_tenant_active=row["user__tenant_id"] is None or row["user__tenant__is_active"],
                session_ended=row["ended_at"] is not None,
                session_expires_at=row["expires_at"].timestamp(),
                group_ids=frozenset(groups[row["user_id"]]),
            )
            for row in rows
        }


def _groups_of(user_ids: Collection[UUID]) -> dict[UUID, set[int]]:
    groups: dict[UUID, set[int]] = defaultdict(set)
    if user_ids:
        memberships = User.groups.through._default_manager.filter(user_id__in=user_ids)
        for user_id, group_id in memberships.values_list("user_id", "group_id"):
            groups[user_id].add(group_id)
    return groups
