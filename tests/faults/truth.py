"""
What the database has in the end, read past the product's own code: what the judge holds everything against.

It is written into the history as one line ``tenant`` for each: ``tenant`` (slug), ``events`` (``position``, ``id``,
``subject``, ``snapshot``), ``users`` (ids), ``groups`` (user -> its groups' holders), ``watching`` (users that may have
a socket) and ``grants`` (subject -> holder -> permissions). A holder is a user's id or ``group:<id>``.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import psycopg

from tests.faults.history import History

Row = dict[str, Any]
Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]

EVENTS = "SELECT tenant_id, position, id, subject_id, snapshot FROM realtime_event ORDER BY tenant_id, position"
USERS = "SELECT tenant_id, id, is_active FROM accounts_user WHERE tenant_id IS NOT NULL"
GROUPS = "SELECT user_id, group_id FROM accounts_user_groups"
WATCHING = """
SELECT g.content_object_id, m.user_id FROM accounts_tenantgranttogroup g
JOIN accounts_user_groups m ON m.group_id = g.group_id
JOIN auth_permission p ON p.id = g.permission_id WHERE p.codename = 'watch_signups'
UNION SELECT g.content_object_id, g.user_id FROM accounts_tenantgranttouser g
JOIN auth_permission p ON p.id = g.permission_id WHERE p.codename = 'watch_signups'
"""
GRANTS_TO_GROUPS = """
SELECT u.tenant_id, g.content_object_id, g.group_id, p.codename FROM accounts_usergranttogroup g
JOIN auth_permission p ON p.id = g.permission_id JOIN accounts_user u ON u.id = g.content_object_id
"""
GRANTS_TO_USERS = """
SELECT u.tenant_id, g.content_object_id, g.user_id, p.codename FROM accounts_usergranttouser g
JOIN auth_permission p ON p.id = g.permission_id JOIN accounts_user u ON u.id = g.content_object_id
"""


def note_truth(history: History, database_url: str, *, pruned: Mapping[str, Sequence[Row]] | None = None) -> None:
    """
    Write what the database has of each tenant into a history.

    ``pruned``: rows of each log as ``logs_in`` has found them earlier. Of these, what was before the first that is
    still there counts as true: it was pruned. Anything else that is gone is a hole.
    """
    for slug, truth in truths_in(database_url).items():
        first = truth["events"][0]["position"] if truth["events"] else 0
        earlier = [row for row in (pruned or {}).get(slug, ()) if row["position"] < first]
        history.note("tenant", tenant=slug, **truth | {"events": earlier + truth["events"]})


def logs_in(database_url: str) -> dict[str, list[Row]]:
    """Return the events of each tenant, by slug, in order."""
    return {slug: truth["events"] for slug, truth in truths_in(database_url).items()}


def truths_in(database_url: str) -> dict[str, dict[str, Any]]:
    """Return what there is of each tenant, by slug, as ``note_truth`` writes it."""
    ask = _asker(database_url)
    tenants = {number: (slug, active) for number, slug, active in ask("SELECT id, slug, is_active FROM tenants_tenant")}
    truths: dict[int, dict[str, Any]] = {
        number: {"events": [], "users": [], "groups": {}, "watching": [], "grants": defaultdict(dict)}
        for number in tenants
    }
    for number, position, event, subject, snapshot in ask(EVENTS):
        content = json.loads(snapshot) if isinstance(snapshot, str) else snapshot
        row = {"position": position, "id": _id(event), "subject": _id(subject), "snapshot": content}
        truths[number]["events"].append(row)
    tenant_of = {}
    active = set()
    for number, user, is_active in ask(USERS):
        truths[number]["users"].append(_id(user))
        tenant_of[_id(user)] = number
        if is_active and tenants[number][1]:
            active.add(_id(user))
    for user, group in ask(GROUPS):
        if _id(user) in tenant_of:  # operators are of no tenant
            truths[tenant_of[_id(user)]]["groups"].setdefault(_id(user), []).append(f"group:{group}")
    for number, user in ask(WATCHING):
        if _id(user) in active and tenant_of[_id(user)] == number:
            truths[number]["watching"].append(_id(user))
    for number, subject, group, codename in ask(GRANTS_TO_GROUPS):
        truths[number]["grants"][_id(subject)].setdefault(f"group:{group}", []).append(codename)
    for number, subject, user, codename in ask(GRANTS_TO_USERS):
        truths[number]["grants"][_id(subject)].setdefault(_id(user), []).append(codename)
    return {tenants[number][0]: truth for number, truth in truths.items()}


def _asker(database_url: str) -> Ask:
    if database_url.startswith("sqlite:"):
        path = unquote(urlsplit(database_url).path.removeprefix("/"))

        def ask_sqlite(query: str) -> Rows:
            connection = sqlite3.connect(path)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()

        return ask_sqlite

    def ask_postgres(query: str) -> Rows:
        with psycopg.connect(database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    return ask_postgres


def _id(found: Any) -> str:
    """Return an id as the wire spells it: SQLite keeps UUIDs as text without hyphens."""
    return str(found if isinstance(found, UUID) else UUID(found))
