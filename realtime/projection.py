"""An event and somebody's permissions on its subject -> what he may see of it -> the frame that shows it."""

from collections.abc import Mapping, Set
from datetime import UTC, datetime
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
        self._views: dict[str, _Views] = {}
        """By the name of the kind."""
        self._members: dict[int, _Members] = {}
        """By the numbers of the events' ids: an id itself takes a microsecond to be looked up."""

    def frame_of(self, event: LoggedEvent, permissions: Set[str], *, tenant: str) -> protocol.Frame | None:
        """Return the frame that shows ``event`` to a holder of ``permissions``, or None for who may not hear of it."""
        views = self._views.get(event.kind)
        if views is None:
            views = self._views[event.kind] = _Views(kind_named(event.kind))
        view = views.of(frozenset(permissions))
        if view is None:
            return None
        members = self._members.get(event.id.int)
        if members is None:
            members = self._members[event.id.int] = _Members(views, event, tenant)
        frame = members.frames.get(view)
        if frame is None:
            frame = members.frames[view] = members.frame_for(view)
        return frame


class _View:
    """What one visible set shows of a kind's events. Equal to itself alone, so that it is found in no time."""

    __slots__ = ("_shown", "_tail")

    def __init__(self, kind: EventKind, visible: frozenset[str]) -> None:
        self._shown, hidden = kind.names_of(visible)
        self._tail = b'},"redacted":' + protocol.json_of(hidden) + b"}"

    def of(self, head: bytes, fields: Mapping[str, bytes]) -> bytes:
        """Return what it shows of an event, in JSON."""
        return b"".join((head, b",".join([fields[name] for name in self._shown]), self._tail))


class _Views:
    """The views of one kind, by what their holders hold on a subject: few have more than some dozens."""

    __slots__ = ("_by_held", "_by_visible", "beginnings", "kind")

    def __init__(self, kind: EventKind) -> None:
        self.kind = kind
        self.beginnings = [(field.name, protocol.json_of(field.name) + b":") for field in kind.fields]
        """Each field's name, and how its member begins."""
        self._by_held: dict[frozenset[str], _View | None] = {}
        self._by_visible: dict[frozenset[str], _View] = {}

    def of(self, permissions: frozenset[str]) -> _View | None:
        """Return what holders of these see, or None for who may not hear of a subject."""
        try:
            return self._by_held[permissions]
        except KeyError:
            pass
        visible = visible_set(self.kind, permissions)
        view = None
        if visible:
            view = self._by_visible.get(visible)
            if view is None:
                view = self._by_visible[visible] = _View(self.kind, visible)
        self._by_held[permissions] = view
        return view


class _Members:
    """An event's members, each encoded by itself: what the view of any class is joined from."""

    __slots__ = ("_fields", "_head", "frames")

    def __init__(self, views: _Views, event: LoggedEvent, tenant: str) -> None:
        self.frames: dict[_View, protocol.Frame] = {}
        """Those that were made, by what they show."""
        snapshot = event.snapshot
        head = {
            "type": event.kind,
            "id": event.id,
            "tenant": tenant,
            "at": event.at.astimezone(UTC),
            "message": views.kind.message_about(snapshot),
        }
        self._head = protocol.json_of(head)[:-1] + b',"data":{'
        self._fields = {name: begin + protocol.json_of(snapshot.get(name)) for name, begin in views.beginnings}

    def frame_for(self, view: _View) -> protocol.Frame:
        """Return the frame that shows a view's fields, and names the others."""
        return protocol.framed(view.of(self._head, self._fields))
