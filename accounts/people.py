"""Who stands behind a session: the answer of accounts to what realtime/ asks."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from accounts.models import User
from realtime import rights
from realtime.ports import Standing
from tenants.models import Tenant

MEMBERSHIPS = "FROM accounts_user_groups m WHERE m.user_id = u.id"


class AccountsPeople:
    """Fills ``realtime.ports.People``."""

    def standings(self, session_ids: Collection[UUID]) -> dict[UUID, Standing]:
        """
        Return the standing of each session that exists, in one query however many are asked for.

        It runs on the caller's connection and in its transaction, so that the hub reads them in its own snapshot.
        """
        if not session_ids:
            return {}
        # Django's own queries for this were half of what a request cost before its view was called.
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor == "postgresql":
            ids = f"{{{','.join(map(str, session_ids))}}}"
        else:
            ids = json.dumps([session_id.hex for session_id in session_ids])
        with connection.cursor() as cursor:
            cursor.execute(_statement(connection.vendor), [ids])
            return {standing.session_id: standing for standing in map(_standing_of, cursor.fetchall())}


@lru_cache
def _statement(vendor: str) -> str:
    if vendor == "postgresql":
        groups, among = "string_agg(m.group_id::text, chr(10))", "= ANY(%s::uuid[])"
    else:
        groups, among = "group_concat(m.group_id, char(10))", "IN (SELECT value FROM json_each(%s))"
    held = rights.held_on_own_tenant(
        vendor, user="u.id", tenant="u.tenant_id", groups=f"SELECT m.group_id {MEMBERSHIPS}"
    )
    return (
        "SELECT s.id, s.user_id, u.username, u.tenant_id, t.slug, u.is_active, t.is_active, s.ended_at, "  # noqa: S608
        f"s.expires_at, (SELECT {groups} {MEMBERSHIPS}), {held} FROM accounts_session s "
        "JOIN accounts_user u ON u.id = s.user_id LEFT JOIN tenants_tenant t ON t.id = u.tenant_id "
        f"WHERE s.id {among}"
    )


def user_behind(standing: Standing) -> User:
    """
    Return the user of a standing, and its tenant, as far as the standing tells them: without another query.

    Django fetches any other column when it is asked for, and raises ``DoesNotExist`` if the row has gone meanwhile.
    """
    # In the order of the models' columns: Django deals the values out in that, whatever the order of the names.
    known = [standing.user_id, standing.tenant_id, standing.username, standing.is_user_active]
    user: User = User.from_db(DEFAULT_DB_ALIAS, ["id", "tenant_id", "username", "is_active"], known)
    if standing.tenant_id is not None:
        known = [standing.tenant_id, standing.tenant_slug, standing.is_tenant_active]
        user.tenant = Tenant.from_db(DEFAULT_DB_ALIAS, ["id", "slug", "is_active"], known)
    return user


def _standing_of(row: Sequence[Any]) -> Standing:
    # Raw rows: SQLite has no type for ids and truth values, and its times come without their zone, which is always UTC.
    session_id, user_id, username, tenant_id, slug, is_user_active, is_tenant_active, ended_at, expires_at, *held = row
    if expires_at.tzinfo is None:
        expires_at = expires_at.replace(tzinfo=UTC)
    return Standing(
        session_id=_uuid(session_id),
        user_id=_uuid(user_id),
        username=username,
        tenant_id=tenant_id,
        tenant_slug=slug,
        is_user_active=bool(is_user_active),
        is_tenant_active=tenant_id is None or bool(is_tenant_active),
        session_ended=ended_at is not None,
        session_expires_at=expires_at.timestamp(),
        group_ids=frozenset(map(int, _lines(held[0]))),
        permissions=frozenset(_lines(held[1])),
    )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _lines(text: str | None) -> list[str]:
    return text.split("\n") if text else []
