"""What one viewer has heard over all its sockets, against what it was to hear."""

from bisect import bisect_right
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.faults.gaps import Gaps
from tests.faults.presence import absence_of
from tests.faults.recorded import Event, Recorded, SocketLife, Viewer
from tests.faults.rights import HEAR, RightsOverTime
from tests.faults.verdict import WORST_FIRST, Breach, Verdict
from tests.faults.views import Views


@dataclass(slots=True)
class Stretch:
    """
    Sockets that together must miss nothing: one that began without a cursor, and all that resumed after it.

    It covers what was asked for after ``start``, and what the log has behind ``behind``.
    """

    start: float
    behind: float
    sockets: list[SocketLife] = field(default_factory=list)
    passed: list[tuple[int, float]] = field(default_factory=list)
    """(position, time) whenever something came that is further on than all before."""

    @property
    def end(self) -> float:
        return self.sockets[-1].closed

    def covers(self, event: Event) -> bool:
        return event.invoked >= self.start or event.position > self.behind

    def passed_at(self, position: int) -> float:
        """Return when something further on than a position first came; infinite if nothing did."""
        place = bisect_right(self.passed, position, key=lambda passed: passed[0])
        return self.passed[place][1] if place < len(self.passed) else inf


class Heard:
    """Judges one viewer."""

    def __init__(
        self,
        verdict: Verdict,
        recorded: Recorded,
        viewer: Viewer,
        rights: RightsOverTime,
        views: Views,
        patience: float,
    ) -> None:
        self._verdict = verdict
        self._recorded = recorded
        self._viewer = viewer
        self._rights = rights
        self._views = views
        self._patience = patience
        self._tenant = recorded.tenants[viewer.tenant]
        self._events = {event.id: event for event in self._tenant.events}
        self._first: dict[str, tuple[float, SocketLife]] = {}
        self._breached: dict[str, set[str]] = {}
        self._stretches: list[Stretch] = []
        self._stretch_of: dict[int, Stretch] = {}
        self._gaps = Gaps(recorded, viewer, self._owed)

    def judge(self) -> None:
        """Judge all that it heard, then all that there was to hear, and whether it was there in the end."""
        for life in self._viewer.sockets:
            self._begin_or_go_on(life)
            self._take(life)
        for event in self._tenant.events:
            self._settle(event)
        absence = absence_of(self._viewer, self._recorded, self._rights)
        if absence is not None:
            self._breach("absent", "", absence)

    def _breach(self, name: str, event: str, detail: str) -> None:
        self._breached.setdefault(event, set()).add(name)
        self._verdict.breaches.append(Breach(name, self._viewer.name, event, detail))
        if event not in self._events:
            self._verdict.counts[name] += 1

    def _begin_or_go_on(self, life: SocketLife) -> None:
        if life.synced is None:
            return
        if not life.is_complete:
            self._count_incomplete(life, life.synced)
        if life.after is None or not life.is_complete:
            self._stretches.append(Stretch(start=life.synced, behind=inf))
        elif not self._stretches:
            self._stretches.append(Stretch(start=life.synced, behind=self._position_of(life.after, otherwise=inf)))
        self._stretches[-1].sockets.append(life)
        self._stretch_of[life.number] = self._stretches[-1]

    def _count_incomplete(self, life: SocketLife, synced: float) -> None:
        event = self._events.get(life.after or "")
        if event is None or HEAR in self._rights.of(self._viewer, event.subject, life.opened, synced).sure:
            self._verdict.incomplete += 1
        else:
            self._verdict.unseen_cursors += 1

    def _position_of(self, cursor: str | None, *, otherwise: float) -> float:
        event = self._events.get(cursor or "")
        return otherwise if event is None else event.position

    def _take(self, life: SocketLife) -> None:
        here: set[str] = set()
        named = self._position_of(life.after, otherwise=0)
        furthest = 0
        for at, content in life.frames:
            frame = self._recorded.contents[content]
            if "data" not in frame:
                self._check_control(frame)
                continue
            event = self._events.get(frame["id"])
            if event is None:
                self._breach("leaked", frame["id"], f"the log of {self._tenant.slug} has no such event")
                continue
            if event.id in here:
                self._breach("duplicated", event.id, f"twice on socket {life.number}")
            elif event.position <= named:
                self._breach("duplicated", event.id, f"on socket {life.number}, whose after= was further on")
            elif event.position < furthest:
                self._breach("reordered", event.id, f"behind a later one on socket {life.number}")
            elif event.id in self._first:
                self._verdict.repeated += 1
            furthest = max(furthest, event.position)
            here.add(event.id)
            self._first.setdefault(event.id, (at, life))
            self._note_passed(life, event.position, at)
            self._check_view(life, at, content, event)

    def _note_passed(self, life: SocketLife, position: int, at: float) -> None:
        stretch = self._stretch_of.get(life.number)
        if stretch is not None and (not stretch.passed or stretch.passed[-1][0] < position):
            stretch.passed.append((position, at))

    def _check_control(self, frame: dict[str, Any]) -> None:
        named = frame.get("tenant", self._viewer.tenant), frame.get("user", {}).get("id", self._viewer.user)
        if named != (self._viewer.tenant, self._viewer.user):
            self._breach("leaked", "", f"{frame['type']} names {named}")

    def _check_view(self, life: SocketLife, at: float, content: int, event: Event) -> None:
        rights = self._rights.of(self._viewer, event.subject, max(event.invoked, life.opened), at)
        frame = self._recorded.contents[content]
        faults = self._views.faults(content, frame, event, self._viewer.tenant, rights)
        for name, detail in faults:
            self._breach(name, event.id, f"on socket {life.number}: {detail}")

    def _settle(self, event: Event) -> None:
        found = self._first.get(event.id)
        gap = self._gaps.gap_of(event, inf if found is None else found[0])
        if gap is not None:
            self._verdict.gaps.append((event.answered, gap))
        if found is not None:
            self._judge_time(event, found[0])
        breached = self._breached.get(event.id, set())
        if not breached and found is None:
            name, detail = self._judge_absence(event)
            if name == "lost":
                self._breach(name, event.id, detail)
        elif breached:
            name = next(name for name in WORST_FIRST if name in breached)
        else:
            name = "ok"
        self._verdict.counts[name] += 1

    def _judge_time(self, event: Event, at: float) -> None:
        if at <= event.answered:
            return
        for earlier in self._viewer.sockets:
            stretch = self._stretch_of.get(earlier.number)
            if stretch is None or earlier.after is None or not earlier.is_complete or not stretch.covers(event):
                continue
            synced = earlier.synced or inf
            if event.answered < earlier.opened and synced < at and self._owed(event, synced):
                self._breach("late", event.id, f"socket {earlier.number} was synced {at - synced:.2f} s before it came")
                return

    def _judge_absence(self, event: Event) -> tuple[str, str]:
        if self._viewer.listed is not None and event.subject in self._viewer.listed:
            return "ok", "its list showed it"
        for stretch in self._stretches:
            if not stretch.covers(event):
                continue
            passed = stretch.passed_at(event.position)
            if passed < inf:
                if self._owed(event, passed):
                    return (
                        "lost",
                        f"what came after it in the log came {passed - event.invoked:.2f} s after the question",
                    )
            elif event.answered + self._patience <= stretch.end and self._owed(event, self._deadline(stretch, event)):
                return "lost", f"it was answered {stretch.end - event.answered:.2f} s before the last socket's end"
        if self._viewer.listed is not None and self._stretches and self._is_owed_by_list(event):
            return "lost", "neither the list nor the sockets showed it"
        possible = self._rights.of(self._viewer, event.subject, event.invoked, inf).possible
        return ("excused" if HEAR in possible else "hidden"), ""

    def _is_owed_by_list(self, event: Event) -> bool:
        end = self._stretches[-1].end
        return event.answered + self._patience <= end and self._owed(event, end)

    def _owed(self, event: Event, until: float) -> bool:
        return HEAR in self._rights.of(self._viewer, event.subject, event.invoked, until).sure

    def _deadline(self, stretch: Stretch, event: Event) -> float:
        """Return until when rights must have been the same for the event to be owed."""
        due = event.answered + self._patience
        lived = any((life.synced or inf) <= event.invoked and due <= life.closed for life in stretch.sockets)
        return due if lived else stretch.end
