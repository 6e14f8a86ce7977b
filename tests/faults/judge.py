"""
The judge: sorts every event and viewer of a history into what became of it, and says what must not have happened.

- ``ok``: it came, once, in order, as this viewer may see it. ``hidden``: it may not be seen, and did not come.
  ``excused``: it did not come, and was not owed: the viewer was not there yet, or its rights were changing.
- ``lost``: owed, and never came. ``late``: it came only after the ``synced`` that said that all had come.
- ``duplicated``: twice on one socket, or again on a socket whose ``after=`` stood at or behind it. Again on another
  socket is allowed, delivery being at least once, and counted (``repeated``).
- ``reordered``: after one that comes later in the log, on one socket.
- ``leaked``: of another tenant, of nobody's log, or with what this viewer has never been allowed to see.
- ``stale``: shown by a right that was surely taken before the event was asked for, or before the socket was opened.
  Only told where rights were changed.
- ``partial``: not the view that it should be: a visible field missing or wrong, ``redacted`` not what is hidden.

Of the viewers: ``absent``, who may watch and had no live socket in the end, or was never shown the last word.

Of the logs: ``hole`` in the positions, ``unheard`` creation (acknowledged, and without event or user), ``orphan`` event
without user, ``uncaptured`` user without event.
"""

from collections import Counter
from collections.abc import Iterable
from math import inf
from pathlib import Path

from tests.faults.heard import Heard
from tests.faults.reading import recorded_in
from tests.faults.recorded import Creation, Recorded, Tenant
from tests.faults.rights import RightsOverTime
from tests.faults.verdict import OF_LOGS, OF_VIEWERS, WORST_FIRST, Breach, Verdict
from tests.faults.views import Views

PATIENCE = 10.0
"""Seconds after which an event that has not come to an open socket is lost; only asked when nothing later came."""


def judge(path: Path, *, patience: float = PATIENCE) -> Verdict:
    """Judge a history that is closed and has the final database in it; raises ``ValueError`` if it was cut off."""
    recorded = recorded_in(path)
    if recorded.over == inf:
        raise ValueError(f"{path} has no line 'over'; expected one, written when every viewer had been waited for")
    verdict = Verdict(changes=len(recorded.changes))
    verdict.counts.update(dict.fromkeys((*WORST_FIRST, *OF_VIEWERS, *OF_LOGS, "ok", "hidden", "excused"), 0))
    for tenant in recorded.tenants.values():
        _judge_log(verdict, tenant, [creation for creation in recorded.creations if creation.tenant == tenant.slug])
    _count_creations(verdict, recorded)
    views = Views()
    rights = {slug: RightsOverTime(tenant, recorded.changes) for slug, tenant in recorded.tenants.items()}
    for viewer in recorded.viewers.values():
        Heard(verdict, recorded, viewer, rights[viewer.tenant], views, patience).judge()
    return verdict


def _judge_log(verdict: Verdict, tenant: Tenant, creations: Iterable[Creation]) -> None:
    def breach(name: str, event: str, detail: str) -> None:
        verdict.counts[name] += 1
        verdict.breaches.append(Breach(name, "", event, f"{tenant.slug}: {detail}"))

    for place, event in enumerate(tenant.events, start=1):
        if event.position != place:
            breach("hole", event.id, f"expected position {place}, found {event.position}")
            break
    subjects = Counter(event.subject for event in tenant.events)
    for event in tenant.events:
        if event.subject not in tenant.users:
            breach("orphan", event.id, f"there is no user {event.subject}")
    for user in tenant.users:
        if subjects[user] != 1:
            breach("uncaptured", "", f"user {user} has {subjects[user]} events")
    for creation in creations:
        if creation.phase == "ok" and (creation.user not in tenant.users or not subjects[str(creation.user)]):
            breach("unheard", "", f"{creation.username} was acknowledged as {creation.user} and is not there")


def _count_creations(verdict: Verdict, recorded: Recorded) -> None:
    struck = [(server, begin, end) for _, server, begin, end in recorded.faults if server is not None]
    for creation in recorded.creations:
        verdict.creations[creation.phase] += 1
        is_excused = any(
            server == creation.server and begin <= creation.decided and creation.invoked <= end
            for server, begin, end in struck
        )
        if creation.phase != "ok" and not is_excused:
            verdict.creations["unexcused"] += 1
