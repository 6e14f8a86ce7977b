"""Reading a history: from its lines to what the judge wants."""

from collections import defaultdict
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

from tests.faults.history import Line, lines_of
from tests.faults.recorded import Change, Creation, Event, Recorded, SocketLife, Tenant, Viewer


def recorded_in(path: Path) -> Recorded:
    """Read a history."""
    reading = Reading()
    for line in lines_of(path):
        reading.take(line)
    return reading.end()


class Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.recorded = Recorded()
        self._sockets: dict[int, SocketLife] = {}
        self._operations: dict[str, dict[int, list[Line]]] = defaultdict(lambda: defaultdict(list))
        self._begun_faults: dict[tuple[str, str | None], float] = {}
        self._truths: list[Line] = []
        self._takers: dict[str, Callable[[Line], None]] = {
            "frame": self._take_frame,
            "content": self._take_content,
            "viewer": self._take_viewer,
            "opened": self._take_opened,
            "closed": self._take_closed,
            "listed": self._take_listed,
            "fault": self._take_fault,
            "over": self._take_over,
            "tenant": self._truths.append,
            "create": self._take_operation,
            "give": self._take_operation,
            "take": self._take_operation,
        }

    def take(self, line: Line) -> None:
        """Take one line; raises ``ValueError`` for a kind that no history has."""
        taker = self._takers.get(line["kind"])
        if taker is None:
            raise ValueError(f"kind is {line['kind']!r}; expected one of {sorted(self._takers)}")
        self.recorded.end = line["t"]
        taker(line)

    def end(self) -> Recorded:
        """Return all that was read, put together."""
        recorded, operations = self.recorded, self._operations
        recorded.faults += [(*key, begin, inf) for key, begin in self._begun_faults.items()]
        recorded.creations = [_creation(lines) for lines in operations["create"].values()]
        for kind in ("give", "take"):
            decided = (lines for lines in operations[kind].values() if lines[-1]["phase"] != "fail")
            recorded.changes += [_change(kind, lines) for lines in decided]
        by_user = {creation.user: creation for creation in recorded.creations if creation.user is not None}
        by_name = {(creation.tenant, creation.username): creation for creation in recorded.creations}
        for truth in self._truths:
            recorded.tenants[truth["tenant"]] = _tenant(truth, by_user, by_name)
        for life in self._sockets.values():
            self._note_synced(life)
        return recorded

    def _take_frame(self, line: Line) -> None:
        self._sockets[line["socket"]].frames.append((line["t"], line["content"]))

    def _take_content(self, line: Line) -> None:
        self.recorded.contents[line["content"]] = line["frame"]

    def _take_viewer(self, line: Line) -> None:
        self.recorded.viewers[line["viewer"]] = Viewer(line["viewer"], line["user"], line["tenant"])

    def _take_opened(self, line: Line) -> None:
        life = SocketLife(line["socket"], line["server"], line["after"], line["t"])
        self._sockets[line["socket"]] = life
        self.recorded.viewers[line["viewer"]].sockets.append(life)

    def _take_closed(self, line: Line) -> None:
        life = self._sockets[line["socket"]]
        life.closed, life.code = line["t"], line["code"]

    def _take_listed(self, line: Line) -> None:
        viewer = self.recorded.viewers[line["viewer"]]
        viewer.listed = (viewer.listed or set()) | set(line["users"])

    def _take_fault(self, line: Line) -> None:
        key = line["name"], line.get("server")
        if line["phase"] == "begin":
            self._begun_faults[key] = line["t"]
        else:
            self.recorded.faults.append((*key, self._begun_faults.pop(key), line["t"]))

    def _take_over(self, line: Line) -> None:
        self.recorded.over, self.recorded.last_words = line["t"], frozenset(line["last_words"])

    def _take_operation(self, line: Line) -> None:
        self._operations[line["kind"]][line["op"]].append(line)

    def _note_synced(self, life: SocketLife) -> None:
        life.closed = min(life.closed, self.recorded.end)
        for at, content in life.frames:
            frame = self.recorded.contents[content]
            if frame["type"] == "synced":
                life.synced, life.is_complete = at, frame["complete"]
                return


def _creation(lines: list[Line]) -> Creation:
    asked = lines[0]
    creation = Creation(asked["tenant"], asked["username"], asked.get("server"), asked["t"])
    for decided in lines[1:]:
        creation.phase, creation.decided = decided["phase"], decided["t"]
        creation.user, creation.why = decided.get("user"), decided.get("why")
        creation.server = decided.get("server", creation.server)
    return creation


def _change(kind: str, lines: list[Line]) -> Change:
    asked, last = lines[0], lines[-1]
    return Change(
        gives=kind == "give",
        holder=asked["holder"],
        subject=asked["subject"],
        permissions=frozenset(asked["permissions"]),
        invoked=asked["t"],
        done=last["t"] if last["phase"] == "ok" else inf,
    )


def _tenant(truth: Line, by_user: dict[str, Creation], by_name: dict[Any, Creation]) -> Tenant:
    events = []
    for row in truth["events"]:
        creation = by_user.get(row["subject"]) or by_name.get((truth["tenant"], row["snapshot"].get("username")))
        # What was there before the experiment began was answered before everything else.
        invoked, answered = (-inf, -inf) if creation is None else (creation.invoked, inf)
        if creation is not None and creation.phase == "ok":
            answered = creation.decided
        events.append(Event(row["position"], row["id"], row["subject"], row["snapshot"], invoked, answered))
    return Tenant(
        slug=truth["tenant"],
        events=tuple(sorted(events, key=lambda event: event.position)),
        users=frozenset(truth["users"]),
        groups={user: frozenset(groups) for user, groups in truth["groups"].items()},
        watching=frozenset(truth["watching"]),
        grants={
            subject: {holder: frozenset(held) for holder, held in holders.items()}
            for subject, holders in truth["grants"].items()
        },
    )
