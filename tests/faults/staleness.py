"""
Holds what watchers were sent against the sequential model.

An event may be shown as any state allowed that the database had from the event's commit, or from the socket's opening
if that was later, to the frame's receipt. What only an earlier state allowed is ``stale``; what none did, ``wrong``.

An event is owed if all states allowed it, from its commit until the socket, live before it, was sent a later one: if it
did not come it is ``lost``. So to send nothing is no way to pass, as long as everybody is shown something in the end.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.sequence import Model, View
from tests.faults.watchers import Watch, Watcher


@dataclass(frozen=True, slots=True)
class Event:
    """A committed event: what had been committed before it, and when its creation was begun."""

    id: str
    position: int
    subject: str
    rights: int
    began: float


@dataclass
class Findings:
    """How many of what, and the first breaches in words."""

    counts: Counter[str] = field(
        default_factory=lambda: Counter(dict.fromkeys(("stale", "wrong", "lost", "disorder", "frames", "owed"), 0))
    )
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not any(self.counts[name] for name in ("stale", "wrong", "lost", "disorder"))

    def breach(self, name: str, words: str) -> None:
        """Note what must not happen."""
        self.counts[name] += 1
        if len(self.examples) < 5:
            self.examples.append(f"{name}: {words}")


def judge(model: Model, watchers: Sequence[Watcher], events: Mapping[str, Event]) -> Findings:
    """Judge everything that was received."""
    findings = Findings()
    for watcher in watchers:
        for watch in watcher.watches:
            _judge_frames(findings, model, watcher.user, watch, events)
            _judge_absence(findings, model, watcher.user, watch, events)
    return findings


def _judge_frames(findings: Findings, model: Model, user: str, watch: Watch, events: Mapping[str, Event]) -> None:
    opened_at, furthest = model.committed_before(watch.opened), 0
    for received, frame in watch.frames:
        event = events[frame["id"]]
        first = max(event.rights, opened_at)
        allowed = _views(model, user, watch, event, first, received)
        shown: View = frozenset(frame["data"])
        findings.counts["frames"] += 1
        findings.counts["frames with one view allowed"] += len(allowed) == 1
        if shown not in allowed:
            before = model.views(user, watch.session, event.subject, range(first))
            words = (
                f"{user} was shown {sorted(shown or ())} of event {event.position} (rights {first}); allowed {allowed}"
            )
            findings.breach("stale" if shown in before else "wrong", words)
        if event.position <= furthest:
            findings.breach("disorder", f"{user} was sent {event.position} after {furthest}")
        furthest = max(furthest, event.position)


def _judge_absence(findings: Findings, model: Model, user: str, watch: Watch, events: Mapping[str, Event]) -> None:
    received = [(events[frame["id"]], at) for at, frame in watch.frames]
    came = {event.id for event, _ in received}
    for event in sorted(events.values(), key=lambda event: event.position, reverse=True):
        if watch.synced is None or event.began <= watch.synced:
            continue
        passed = next((at for later, at in received if later.position > event.position), None)
        if passed is None or None in _views(model, user, watch, event, event.rights, passed):
            continue
        findings.counts["owed"] += 1
        if event.id not in came:
            findings.breach("lost", f"{user} was never sent event {event.position} (rights {event.rights})")


def _views(model: Model, user: str, watch: Watch, event: Event, first: int, until: float) -> set[View]:
    return model.views(user, watch.session, event.subject, range(first, max(first, model.begun_before(until)) + 1))
