"""
What nearly every batch wants, read in one statement: counters, what is new, and who holds what on that.

One statement sees one moment by itself. As a transaction of several, with a trip to the database for its beginning, its
isolation level, each question and its end, the same took more of the server than all else that a batch costs.

What a sweep compares is one statement as well.

They are not prepared: between this process and PostgreSQL there may be a pooler that hands out another session each
time.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import count
from typing import Any, NamedTuple, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq import ExecStatus, Format

from realtime import log, rights
from realtime.kinds import EventKind, declared
from realtime.log import Page
from realtime.projection import LoggedEvent
from realtime.rights import Grants, HeldReader


class Glance(NamedTuple):
    """What was found: of tenants that are there, of events, of their subjects."""

    tenants: dict[int, tuple[bool, int, int, int]]
    """Tenant id -> whether it is active, days of retention, head, rights counter."""
    pages: dict[Page, list[LoggedEvent]]
    """The events of each page that has any, in order."""
    grants: dict[str, Grants]
    """Subject model -> the grants on the subjects of these events."""


def glance(wanted: Sequence[Page]) -> Glance:
    """Return what is to be known of some tenants, one page for each, and of what their pages have."""
    kinds = declared()
    readers = {kind.subject: HeldReader() for kind in kinds}
    reader_of = {kind.name: readers[kind.subject] for kind in kinds}
    tenants: dict[int, tuple[bool, int, int, int]] = {}
    pages: dict[Page, list[LoggedEvent]] = {}
    page_of = {page[0]: page for page in wanted}
    for row in _rows(partial(_statement, kinds), wanted):
        tenant_id, is_active, days, head, counter, position, identity, kind, subject, snapshot, at, groups, users = row
        tenants[tenant_id] = bool(is_active), days, head, counter
        if position is None:
            continue  # a tenant without news
        event = log.event_of(tenant_id, position, identity, kind, subject, snapshot, at)
        page = page_of[tenant_id]
        if page in pages:
            pages[page].append(event)
        else:
            pages[page] = [event]
        # One of an unknown kind must not blind this process for all tenants: whoever projects it fails, alone.
        reader = reader_of.get(kind)
        if reader is not None:
            reader.read(event.subject_id, groups, users)
    return Glance(tenants, pages, {subject: reader.grants for subject, reader in readers.items()})


def moved(known: Sequence[tuple[int, int, int]]) -> list[int]:
    """
    Return the tenants that are to be read: each is known by its id, the position and the rights counter it was read at.

    They are those who have other ones, who are suspended, or who are no more. In one query, of which nothing comes back
    for all the others.
    """
    return [tenant_id for (tenant_id,) in _rows(_moved, known)]


def _rows(statement_for: Callable[[str], str], given: Sequence[tuple[int, int, int]]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that is made for a vendor, about these triples; ids and times are no text."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    statement, parameters = statement_for(connection.vendor), _parameters(connection.vendor, given)
    connection.ensure_connection()
    own = connection.connection
    if connection.vendor != "postgresql" or not own.autocommit or connection.queries_logged:
        with _cursor(connection) as cursor:
            cursor.execute(statement, parameters)
            return cast("list[tuple[Any, ...]]", cursor.fetchall())
    with connection.wrap_database_errors:
        return _rows_of_postgres(own, statement, parameters)


def _rows_of_postgres(
    connection: "psycopg.Connection[Any]", statement: str, parameters: Sequence[str]
) -> list[tuple[Any, ...]]:
    """
    Do what a cursor of psycopg's does, without the cursor; raises what that raises.

    To make one, for one statement and with all that it can do, costs as much as some dozens of rows.
    """
    pgconn = connection.pgconn
    given = [each.encode() for each in parameters]
    with connection.lock:
        pgconn.send_query_params(_numbered(statement), given, result_format=Format.BINARY)
        (result,) = connection.wait(execute(pgconn))  # the connection's own way, which may give up at some time
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(result)
    transformer = _transformer_of(connection)
    try:
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)
    finally:
        transformer.set_pgresult(None)


_transformer_of = lru_cache(maxsize=4)(Transformer)
"""By connection: it keeps what reads each type of column, which takes longer to be made than to read some rows."""


@lru_cache(maxsize=16)
def _numbered(statement: str) -> bytes:
    """Return a statement with its placeholders as PostgreSQL itself has them: $1 for the first %s."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", statement).encode()


@contextmanager
def _cursor(connection: Any) -> Iterator[CursorWrapper]:
    """Give a cursor of Django's; on PostgreSQL one that takes ids and times as they are, and not as text."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    own = psycopg.Cursor(connection.connection)
    own.format = Format.BINARY
    with connection.make_debug_cursor(own) if connection.queries_logged else connection.make_cursor(own) as cursor:
        yield cursor


@lru_cache(maxsize=8)
def _statement(kinds: tuple[EventKind, ...], vendor: str) -> str:
    if vendor == "postgresql":
        # LATERAL and LIMIT leave the planner no choice but the index, whatever it thinks of how many there are.
        events = (
            "LATERAL (SELECT * FROM realtime_event e WHERE h.position > k.b AND e.tenant_id = k.a "
            "AND e.position > k.b AND e.position <= k.b + k.c ORDER BY e.position LIMIT k.c) e ON TRUE"
        )
    else:
        events = (
            "realtime_event e ON h.position > k.b "
            "AND e.tenant_id = k.a AND e.position > k.b AND e.position <= k.b + k.c"
        )
    return (
        "SELECT t.id, t.is_active, t.retention_days, COALESCE(h.position, 0), COALESCE(r.value, 0), "  # noqa: S608
        f"{log.COLUMNS}, {', '.join(_held(vendor, kinds))} FROM {_given(vendor)} JOIN tenants_tenant t ON t.id = k.a "
        "LEFT JOIN tenants_head h ON h.tenant_id = k.a LEFT JOIN tenants_rightscounter r ON r.tenant_id = k.a "
        f"LEFT JOIN {events} ORDER BY t.id, e.position"
    )


def _moved(vendor: str) -> str:
    return (
        f"SELECT k.a FROM {_given(vendor)} LEFT JOIN tenants_tenant t ON t.id = k.a "  # noqa: S608  names of our own
        "LEFT JOIN tenants_head h ON h.tenant_id = k.a LEFT JOIN tenants_rightscounter r ON r.tenant_id = k.a "
        "WHERE t.is_active IS NOT TRUE OR COALESCE(h.position, 0) <> k.b OR COALESCE(r.value, 0) <> k.c"
    )


def _given(vendor: str) -> str:
    """Return SQL for a table k of three integers a row, made of ``_parameters``."""
    if vendor == "postgresql":
        return "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k(a, b, c)"
    return f"{log.triples_in(vendor)} k"


def _held(vendor: str, kinds: tuple[EventKind, ...]) -> tuple[str, str]:
    """Return SQL for what groups, and what users, hold on an event's subject, of the model that its kind is about."""
    by_subject = {
        subject: rights.held_on("e.subject_id", subject, vendor=vendor) for subject in {k.subject for k in kinds}
    }
    if len(by_subject) == 1:
        return by_subject.popitem()[1]
    cases = [(kind.name.replace("'", "''").replace("%", "%%"), by_subject[kind.subject]) for kind in kinds]
    to_groups = " ".join(f"WHEN '{name}' THEN {of_groups}" for name, (of_groups, _) in cases)
    to_users = " ".join(f"WHEN '{name}' THEN {of_users}" for name, (_, of_users) in cases)
    return f"CASE e.kind {to_groups} END", f"CASE e.kind {to_users} END"


def _parameters(vendor: str, wanted: Sequence[tuple[int, int, int]]) -> list[Any]:
    if vendor == "postgresql":
        # As text: psycopg's own way with lists takes five times as long.
        return [f"{{{','.join(map(str, column))}}}" for column in zip(*wanted, strict=True)]
    return [json.dumps(wanted)]
