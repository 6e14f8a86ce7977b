"""
Pages of a list, newest first, by cursors that are ids of rows which the caller may see.

No numbers of pages or rows: they would count what is hidden. Ids are UUIDv7, so their order is that of time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.api.permissions import uuid_of
from accounts.api.problems import Problem
from realtime.rights import Rows

USUAL, MOST = 50, 200

PARAMETERS = [
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"Rows per page, 1 to {MOST}; {USUAL} if not given."),
    OpenApiParameter("before", OpenApiTypes.UUID, description="Rows older than this one."),
    OpenApiParameter("after", OpenApiTypes.UUID, description="Rows newer than this one: the nearest to it."),
]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Which page is asked for: the rows next to ``anchor``, on its older or newer side; without one the newest."""

    limit: int = USUAL
    anchor: UUID | None = None
    side: Literal["older", "newer"] = "older"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the ids behind which there are more on either side, or None."""

    rows: list[Any]
    older_than: UUID | None
    newer_than: UUID | None


def cursor_of(request: Request) -> Cursor:
    """Return the cursor that a request's query asks for; raises a 400 problem for one that is none."""
    asked = request.query_params
    limit = asked.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise Problem(f"limit is {limit[:40]!r}; expected a whole number from 1 to {MOST}.", code="bad_limit")
    if "before" in asked and "after" in asked:
        raise bad_cursor()
    for name, side in (("before", "older"), ("after", "newer")):
        if name in asked:
            anchor = uuid_of(asked[name])
            if anchor is None:
                raise bad_cursor()
            return Cursor(int(limit), anchor, side)  # type: ignore[arg-type]  # the literals two lines above
    return Cursor(int(limit))


def bad_cursor() -> Problem:
    """Return the one answer to every cursor that is none, so that a hidden row cannot be told from garbage."""
    return Problem(
        "The cursor is no row of this list; expected before or after (not both) with the id of a row that you may "
        "see. Begin again without a cursor.",
        code="bad_cursor",
    )


def read_page(cursor: Cursor, lists: Sequence[Rows], known: Sequence[Rows]) -> Page:
    """
    Return a page of the rows of several lists together, as if they were one; a row may be in several.

    ``known`` are the rows that may serve as an anchor: all that the caller may see, whatever the lists are narrowed
    to. Raises a 400 problem for any other anchor.
    """
    if cursor.anchor is not None and not any(rows(pk=cursor.anchor).exists() for rows in known):
        raise bad_cursor()
    newer = cursor.side == "newer"
    found = _nearest(cursor, lists, newer=newer)
    rows, more = found[: cursor.limit], len(found) > cursor.limit
    if newer:
        rows.reverse()
    # Of a page without rows the anchor is what others lie beside: who asks for news and finds none can still go back.
    oldest, newest = (rows[-1].pk, rows[0].pk) if rows else (cursor.anchor, cursor.anchor)
    has_older = more if not newer else _any(lists, pk__lt=oldest)
    has_newer = more if newer else cursor.anchor is not None and _any(lists, pk__gt=newest)
    return Page(rows, older_than=oldest if has_older else None, newer_than=newest if has_newer else None)


def body_of(request: Request, page: Page, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a page's body: its rows as the caller sees them, and the addresses of the pages beside it."""
    return {
        "results": results,
        "next": _address(request, before=page.older_than),
        "previous": _address(request, after=page.newer_than),
    }


def _nearest(cursor: Cursor, lists: Sequence[Rows], *, newer: bool) -> list[Any]:
    beyond = {} if cursor.anchor is None else {"pk__gt" if newer else "pk__lt": cursor.anchor}
    order = "pk" if newer else "-pk"
    one_more = cursor.limit + 1  # tells whether there is a page behind this one
    found = {row.pk: row for rows in lists for row in rows(**beyond).order_by(order)[:one_more]}
    return [found[key] for key in sorted(found, reverse=not newer)[:one_more]]


def _any(lists: Sequence[Rows], **where: Any) -> bool:
    # In order, so that it goes by the index; to find any of them, PostgreSQL might look through all.
    return any(list(rows(**where).order_by("pk").values_list("pk")[:1]) for rows in lists)


def _address(request: Request, **cursor: UUID | None) -> str | None:
    if None in cursor.values():
        return None
    query = request.query_params.copy()
    query.pop("before", None)
    query.pop("after", None)
    query.update({name: str(anchor) for name, anchor in cursor.items()})
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
