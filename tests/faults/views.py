"""One frame against what its viewer may see and what the log says."""

from collections.abc import Mapping
from typing import Any

from tests.faults.recorded import Event
from tests.faults.rights import FIELDS, HEAR, Rights

Fault = tuple[str, str]
"""(name of the breach, in words)"""


class Views:
    """Judges views; each once, however many viewers were sent it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Rights], list[Fault]] = {}

    def faults(self, content: int, frame: Mapping[str, Any], event: Event, tenant: str, rights: Rights) -> list[Fault]:
        """Return what is wrong with a frame, whose number in the history is ``content``."""
        key = content, rights
        if key not in self._known:
            self._known[key] = faults_of_view(frame, event, tenant, rights)
        return self._known[key]


def faults_of_view(frame: Mapping[str, Any], event: Event, tenant: str, rights: Rights) -> list[Fault]:
    """Return what is wrong with the frame that showed an event to a viewer of ``tenant`` with these rights."""
    if frame["tenant"] != tenant:
        return [("leaked", f"it is of {frame['tenant']}")]
    if HEAR not in rights.possible:
        return [_beyond(HEAR, rights, "it was shown at all")]
    data = frame["data"]
    faults = [("leaked", f"{name} is no field that anybody may see") for name in data.keys() - FIELDS.keys()]
    for name, permission in FIELDS.items():
        if name in data and permission not in rights.possible:
            faults.append(_beyond(permission, rights, f"{name} was shown"))
        elif name not in data and permission in rights.sure:
            faults.append(("partial", f"{name} is missing"))
        elif name in data and data[name] != event.snapshot.get(name):
            faults.append(("partial", f"{name} is {data[name]!r}; the log says {event.snapshot.get(name)!r}"))
    hidden = [name for name in FIELDS if name not in data]
    if frame["redacted"] != hidden:
        faults.append(("partial", f"redacted is {frame['redacted']}; expected {hidden}"))
    return faults


def _beyond(permission: str, rights: Rights, what: str) -> Fault:
    if permission in rights.ever:
        return "stale", f"{what} after {permission} had been taken"
    return "leaked", f"{what} without {permission}"
