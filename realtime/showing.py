"""What one batch shows to whom: put together once for each class of viewers, and for who holds something by himself."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from uuid import UUID

from realtime.audience import Alike, Audience, Entry
from realtime.connection import MOST_BYTES, Crowd
from realtime.log import Page
from realtime.outlets import Parcel, Shown, parcels_of
from realtime.projection import LoggedEvent, Projected, Projector
from realtime.rights import Held
from realtime.snapshot import Answer

_position_shown = itemgetter(0)
_position_of = attrgetter("position")


Seen = tuple[int, Held, Projected]
"""An event: its position, who holds what on its subject, and what there is to be shown."""


def shown_to(alike: Alike, events: Iterable[Seen]) -> list[Shown]:
    """Return what those may hear of, out of some events, who are alike."""
    shown = []
    for position, held, projected in events:
        frame = projected.frame_to(alike.held(held))
        if frame is not None:
            shown.append((position, frame))
    return shown


class Showing:
    """The events of one answer, as the viewers of one tenant see them."""

    __slots__ = ("_audience", "_events", "_projector", "_seen", "answer")

    def __init__(self, answer: Answer, audience: Audience, projector: Projector) -> None:
        self.answer = answer
        self._audience = audience
        self._projector = projector
        self._events: Sequence[LoggedEvent] = ()
        self._seen: Sequence[Seen] = ()
        """The same events, looked at."""

    def parcels(self, events: Sequence[LoggedEvent], alike: Alike) -> list[Parcel]:
        """Return what those may hear of, out of some events, who are alike; raises ``UnknownKind``."""
        if events is not self._events:  # else they have been shown to another class
            self._seen, self._events = self.look_at(events), events
        return parcels_of(shown_to(alike, self._seen))

    def look_at(self, events: Iterable[LoggedEvent]) -> list[Seen]:
        """Return what all viewers have in common of some events; raises ``UnknownKind``."""
        seen = []
        for event in events:
            projected = self._projector.of(event, tenant=self._audience.slug)
            seen.append((event.position, self.answer.held_on(event), projected))
        return seen

    def classes(self, events: Iterable[LoggedEvent]) -> Sequence[Alike]:
        """Return who watches, by class: all of one hold the same on all subjects of these events."""
        holders = self.holders_of(events)
        if not holders:
            return self._audience.alike
        found: list[Alike] = []
        for group_ids, of_class in self._audience.classes.items():
            classes: dict[UUID | None, list[Entry]] = defaultdict(list)
            for entry in of_class.entries.values():
                user_id = entry.viewer.user_id
                classes[user_id if user_id in holders else None].append(entry)
            found += [
                Alike(group_ids, user_id, Crowd(c for entry in entries for c in entry.connections), entries)
                for user_id, entries in classes.items()
            ]
        return found

    def holders_of(self, events: Iterable[LoggedEvent]) -> set[UUID]:
        """Return who holds something on a subject of some events by himself."""
        holders: set[UUID] = set()
        for grants in self.answer.grants.values():
            if grants.of_users:
                holders.update(*(grants.of_users.get(event.subject_id, ()) for event in events))
        return holders


class Pages:
    """The pages of one answer for those who catch up, as the viewers of one tenant see them."""

    __slots__ = ("_looked_at", "_pages", "_showing")

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._looked_at: dict[Page, tuple[list[Seen], set[UUID]]] = {}
        """Page -> its events, and who holds something on a subject of them by himself."""
        self._pages: dict[tuple[Page, frozenset[int], UUID | None], Sequence[Shown]] = {}
        """What a page shows to a class of viewers, or to one of these holders."""

    def missed(self, entry: Entry, page: Page, *, after: int, end: int) -> tuple[Sequence[Shown], int]:
        """
        Return what a page shows to somebody of what came after a position, and the position up to which that goes.

        That is the page's ``end``, or where it would be more bytes than may wait for one socket; one frame there
        always is.
        """
        shown = self._page_for(entry, page)
        first = bisect_right(shown, after, key=_position_shown)
        size = 0
        for place in range(first, len(shown)):
            position, frame = shown[place]
            size += frame.size
            if place > first and size > MOST_BYTES:
                return shown[first:place], position - 1
        return shown[first:], end

    def is_whole(self, page: Page, *, after: int, end: int) -> bool:
        """Tell whether the log still has all of a page after a position: a reader may take longer than it is kept."""
        events = self._showing.answer.pages.get(page, ())
        return len(events) - bisect_right(events, after, key=_position_of) >= end - after

    def _page_for(self, entry: Entry, page: Page) -> Sequence[Shown]:
        if page not in self._looked_at:
            events = self._showing.answer.pages[page]
            self._looked_at[page] = self._showing.look_at(events), self._showing.holders_of(events)
        seen, holders = self._looked_at[page]
        user_id, group_ids = entry.viewer.user_id, entry.viewer.group_ids
        holder = user_id if user_id in holders else None
        key = (page, group_ids, holder)
        if key not in self._pages:
            self._pages[key] = shown_to(Alike(group_ids, holder), seen)
        return self._pages[key]
