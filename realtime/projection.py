"""An event and somebody's permissions on its subject -> what he may see of it -> the frame that shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from realtime import protocol
from realtime.kinds import EventKind, kind_named


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A row of the log, as the hub reads it."""

    tenant_id: int
    position: int
    id: UUID
    kind: str
    subject_id: UUID
    snapshot: Mapping[str, Any]
    at: datetime


def visible_set(kind: EventKind, permissions: frozenset[str]) -> frozenset[str]:
    """Return which of ``permissions`` matter for this kind; nothing at all without the one to hear of it."""
    return permissions & kind.permissions if kind.hear in permissions else frozenset()


def view_of(
    kind: EventKind, snapshot: Mapping[str, Any], permissions: frozenset[str]
) -> tuple[dict[str, Any], list[str]]:
    """
    Return the fields that these permissions show, and the names of the others in declared order.

    A visible but empty field is None; a hidden one is absent, whether empty or not.
    """
    data, redacted = {}, []
    for field in kind.fields:
        if field.permission in permissions:
            data[field.name] = snapshot.get(field.name)
        else:
            redacted.append(field.name)
    return data, redacted


class Projector:
    """
    Makes the frames of one batch: each event is projected and encoded once per distinct visible set.

    It lives as long as the batch, so that no right outlives the snapshot in which it was read.
    """

    def __init__(self) -> None:
        self._frames: dict[tuple[UUID, frozenset[str]], protocol.Frame | None] = {}

    def frame_of(self, event: LoggedEvent, permissions: frozenset[str], *, tenant: str) -> protocol.Frame | None:
        """Return the frame that shows ``event`` to a holder of ``permissions``, or None for who may not hear of it."""
        kind = kind_named(event.kind)
        visible = visible_set(kind, permissions)
        if not visible:
            return None
        key = (event.id, visible)
        if key not in self._frames:
            self._frames[key] = _encode(kind, event, visible, tenant)
        return self._frames[key]


def _encode(kind: EventKind, event: LoggedEvent, visible: frozenset[str], tenant: str) -> protocol.Frame:
    data, redacted = view_of(kind, event.snapshot, visible)
    return protocol.frame(
        {
            "type": event.kind,
            "id": str(event.id),
            "tenant": tenant,
            "at": protocol.moment(event.at),
            "message": kind.message_about(dict(event.snapshot)),
            "data": data,
            "redacted": redacted,
        }
    )
