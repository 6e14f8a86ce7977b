"""An event and somebody's permissions on its subject -> what he may see of it -> the frame that shows it."""

from collections.abc import Mapping, Set
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from realtime import protocol
from realtime.kinds import EventKind, kind_named


class LoggedEvent(NamedTuple):
    """A row of the log, as the hub reads it."""

    tenant_id: int
    position: int
    id: UUID
    kind: str
    subject_id: UUID
    snapshot: Mapping[str, Any]
    at: datetime


def visible_set(kind: EventKind, permissions: Set[str]) -> frozenset[str]:
    """Return which of ``permissions`` matter for this kind; nothing at all without the one to hear of it."""
    return kind.permissions & permissions if kind.hear in permissions else frozenset()


def view_of(kind: EventKind, snapshot: Mapping[str, Any], permissions: Set[str]) -> tuple[dict[str, Any], list[str]]:
    """
    Return the fields that these permissions show, and the names of the others in declared order.

    A visible but empty field is None; a hidden one is absent, whether empty or not.
    """
    shown, hidden = kind.names_of(visible_set(kind, permissions))
    return {name: snapshot.get(name) for name in shown}, list(hidden)


class Projector:
    """
    Makes the frames of one batch: an event is encoded once, and joined once per distinct visible set.

    It lives as long as the batch, so that no right outlives the snapshot in which it was read.
    """

    def __init__(self) -> None:
        self._members: dict[int, _Members] = {}
        """By the numbers of the events' ids: an id itself takes a microsecond to be looked up."""

    def frame_of(self, event: LoggedEvent, permissions: Set[str], *, tenant: str) -> protocol.Frame | None:
        """Return the frame that shows ``event`` to a holder of ``permissions``, or None for who may not hear of it."""
        kind = kind_named(event.kind)
        visible = visible_set(kind, permissions)
        if not visible:
            return None
        members = self._members.get(event.id.int)
        if members is None:
            members = self._members[event.id.int] = _Members(kind, event, tenant)
        frame = members.frames.get(visible)
        if frame is None:
            frame = members.frames[visible] = members.frame_for(visible)
        return frame


class _Members:
    """An event's members, each encoded by itself: what the view of any class is joined from."""

    __slots__ = ("_fields", "_head", "_kind", "frames")

    def __init__(self, kind: EventKind, event: LoggedEvent, tenant: str) -> None:
        self._kind = kind
        self.frames: dict[frozenset[str], protocol.Frame] = {}
        """Those that were made, by what they show."""
        head = {
            "type": event.kind,
            "id": str(event.id),
            "tenant": tenant,
            "at": protocol.moment(event.at),
            "message": kind.message_about(dict(event.snapshot)),
        }
        self._head = protocol.json_of(head)[:-1] + b',"data":{'
        self._fields = {
            field.name: protocol.json_of({field.name: event.snapshot.get(field.name)})[1:-1] for field in kind.fields
        }

    def frame_for(self, visible: frozenset[str]) -> protocol.Frame:
        """Return the frame that shows the fields for which these permissions are good, and names the others."""
        shown, hidden = self._kind.names_of(visible)
        data = b",".join([self._fields[name] for name in shown])
        return protocol.framed(b"".join((self._head, data, _tail(hidden))))


@lru_cache(maxsize=1024)
def _tail(hidden: tuple[str, ...]) -> bytes:
    return b'},"redacted":' + protocol.json_of(hidden) + b"}"
