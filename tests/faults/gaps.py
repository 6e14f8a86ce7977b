"""How long one viewer's sockets waited for an event that had been acknowledged."""

from bisect import bisect_right
from collections.abc import Callable
from math import inf

from tests.faults.recorded import Event, Recorded, SocketLife, Viewer


class Gaps:
    """Answers for one viewer. ``owed`` tells whether an event was surely owed to it, by its rights until some time."""

    def __init__(self, recorded: Recorded, viewer: Viewer, owed: Callable[[Event, float], bool]) -> None:
        self._faults = recorded.faults
        self._sockets = viewer.sockets
        self._opened = [life.opened for life in viewer.sockets]
        self._owed = owed

    def gap_of(self, event: Event, came: float) -> float | None:
        """
        Return for how many seconds the socket that was live at an event's acknowledgement had not been sent it.

        ``came``: when the viewer was first sent it, or infinite. A socket that ended before that has waited until its
        end, or until its server was struck: to be connected anew ends no delay. None if there is nothing to be told.
        """
        life = self._live_at(event.answered)
        if life is None:
            return None
        if came <= life.closed:
            return max(0.0, came - event.answered)
        if event.invoked < (life.synced or inf) and (life.after is None or not life.is_complete):
            return None  # committed before the head at which this socket began, for all that is known
        waited = self._unstruck_until(life, event.answered) - event.answered
        return waited if waited > 0 and self._owed(event, life.closed) else None

    def _live_at(self, moment: float) -> SocketLife | None:
        place = bisect_right(self._opened, moment)
        life = self._sockets[place - 1] if place else None
        is_live = life is not None and life.synced is not None and life.synced < moment < life.closed
        return life if is_live else None

    def _unstruck_until(self, life: SocketLife, since: float) -> float:
        struck = (begin for _, server, begin, end in self._faults if server == life.server and end >= since)
        return min(life.closed, min(struck, default=life.closed))
