"""Where a viewer who comes back begins to read: from an event's id, if it still is his to name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from realtime import log, rights
from realtime.identity import moment_of
from realtime.kinds import declared, is_declared, kind_named
from realtime.projection import LoggedEvent, visible_set
from realtime.rights import Grants, Viewer

CLOCKS_APART = timedelta(minutes=5)
"""How far ahead of this server's clock another one's, which made an id, may be."""
MOST_VISIBLE = 10_000
"""A viewer who has missed more than this reads the list again instead."""

UNKNOWN = "unknown_cursor"
TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Resumption:
    """Somebody asks to go on after an event. ``event_id`` is None for a cursor that is no id at all."""

    tenant_id: int
    session_id: UUID
    event_id: UUID | None


def parse(cursor: str) -> UUID | None:
    """Return the event id that a cursor spells in the one canonical way, or None."""
    try:
        identity = UUID(cursor)
    except ValueError:
        return None
    return identity if str(identity) == cursor else None


def is_far(mark: LoggedEvent, head: int) -> bool:
    """Tell whether more happened after an event than a viewer may have missed, so that what he sees must be counted."""
    return head - mark.position > MOST_VISIBLE


def resolve(
    resumption: Resumption,
    mark: LoggedEvent | None,
    *,
    viewer: Viewer | None,
    grants: Mapping[str, Grants],
    head: int,
    kept: timedelta,
    now: datetime,
) -> int | str:
    """
    Return the position after which to read, or why that would not be complete: ``unknown_cursor`` or ``too_many``.

    Not known, of another tenant, not visible to this viewer now, older than ``kept`` (whether the row is still there
    or not), of a time to come, never an id: all are the same answer, so that a cursor asks no question.
    """
    if viewer is None or mark is None or mark.tenant_id != resumption.tenant_id or not is_declared(mark.kind):
        return UNKNOWN
    kind = kind_named(mark.kind)
    if not visible_set(kind, grants[kind.subject].on(mark.subject_id).of_viewer(viewer)):
        return UNKNOWN
    at = moment_of(mark.id)
    if at is None or not now - kept <= at <= now + CLOCKS_APART:
        return UNKNOWN
    # Counted only when it could matter: the events that he sees are at most all that there are.
    if is_far(mark, head):
        heard = {kind.name: rights.visible_subjects(kind, viewer) for kind in declared()}
        if log.count(tenant_id=mark.tenant_id, after=mark.position, heard=heard, most=MOST_VISIBLE + 1) > MOST_VISIBLE:
            return TOO_MANY
    return mark.position
