"""An event and somebody's permissions on its subject -> what he may see of it -> the frame that shows it."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from realtime import protocol
from realtime.kinds import EventKind, kind_named


class LoggedEvent(msgspec.Struct, frozen=True):
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
        self._projected: dict[int, Projected] = {}
        """By the numbers of the events' ids: an id itself takes a microsecond to be looked up."""

    def of(self, event: LoggedEvent, *, tenant: str) -> "Projected":
        """Return an event, to be shown to whoever may see some of it; raises ``UnknownKind``."""
        number = event.id.int
        projected = self._projected.get(number)
        if projected is None:
            views = self._views.get(event.kind)
            if views is None:
                views = self._views[event.kind] = _Views(kind_named(event.kind))
            projected = self._projected[number] = Projected(event, views, tenant)
        return projected


class Projected:
    """An event, its members each encoded by itself: what the view of any class is joined from."""

    __slots__ = ("_data", "_event", "_frames", "_head", "_tenant", "_views")

    def __init__(self, event: LoggedEvent, views: "_Views", tenant: str) -> None:
        self._event = event
        self._views = views
        self._tenant = tenant
        self._frames: dict[_View, protocol.Frame] = {}
        """Those that were made, by what they show."""
        self._head = b""
        self._data: list[bytes] | None = None
        """The members of the data; not yet, as long as nobody may hear of it."""

    def frame_to(self, permissions: frozenset[str]) -> protocol.Frame | None:
        """Return the frame that shows it to a holder of ``permissions``, or None for who may not hear of it."""
        views = self._views
        try:
            view = views.by_held[permissions]
        except KeyError:
            view = views.find(permissions)
        if view is None:
            return None
        frame = self._frames.get(view)
        if frame is None:
            data = self._data
            if data is None:
                data = self._encoded()
            frame = self._frames[view] = protocol.framed(self._head + b",".join(view.pick(data)) + view.tail)
        return frame

    def _encoded(self) -> list[bytes]:
        event, views = self._event, self._views
        snapshot = event.snapshot
        head = {
            "type": event.kind,
            "id": event.id,
            "tenant": self._tenant,
            "at": event.at.astimezone(UTC),
            "message": views.kind.message_about(snapshot),
        }
        self._head = protocol.json_of(head)[:-1] + b',"data":{'
        self._data = [begin + protocol.json_of(snapshot.get(name)) for name, begin in views.beginnings]
        return self._data


class _View:
    """What one visible set shows of a kind's events. Equal to itself alone, so that it is found in no time."""

    __slots__ = ("pick", "tail")

    def __init__(self, kind: EventKind, visible: frozenset[str]) -> None:
        shown, hidden = kind.names_of(visible)
        places = [place for place, field in enumerate(kind.fields) if field.name in shown]
        self.pick = _picks(places)
        """Returns, of the members of the data, those that it shows."""
        self.tail = b'},"redacted":' + protocol.json_of(hidden) + b"}"
        """How its frames end."""


def _picks(places: Sequence[int]) -> Callable[[Sequence[bytes]], Iterable[bytes]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda data: [data[place] for place in places]  # of one, that would return no tuple


class _Views:
    """The views of one kind, by what their holders hold on a subject: few have more than some dozens."""

    __slots__ = ("_by_visible", "beginnings", "by_held", "kind")

    def __init__(self, kind: EventKind) -> None:
        self.kind = kind
        self.beginnings = [(field.name, protocol.json_of(field.name) + b":") for field in kind.fields]
        """Each field's name, and how its member begins."""
        self.by_held: dict[frozenset[str], _View | None] = {}
        """Those that were found so far; None for who may not hear of a subject."""
        self._by_visible: dict[frozenset[str], _View] = {}

    def find(self, permissions: frozenset[str]) -> _View | None:
        """Return what holders of these see, or None for who may not hear of a subject."""
        visible = visible_set(self.kind, permissions)
        view = None
        if visible:
            view = self._by_visible.get(visible)
            if view is None:
                view = self._by_visible[visible] = _View(self.kind, visible)
        self.by_held[permissions] = view
        return view
