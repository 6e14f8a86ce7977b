"""
The history of an experiment: what was done, what was received, and what the database had in the end, as JSON lines.

Each line has ``t``, seconds on this machine's monotonic clock, and ``kind``:

- ``viewer``: a client that stays one over all its sockets: ``viewer`` (its name), ``user`` (id), ``tenant`` (slug).
- ``create``: a creation. Three lines share its ``op``: ``phase`` ``invoke`` (``tenant``, ``username``, ``server``),
  then ``ok`` (``user``, the new one's id), ``fail`` (``status``, ``retry_after`` as the header has it) or ``unknown``:
  no answer was seen, so it may be there or not.
- ``take``, ``give``: a change of rights, with the same phases. ``holder`` (a user's id, a viewer's name for what ends
  one session, or ``group:<id>``), ``subject`` (a user's id, or ``*`` for everybody) and ``permissions``: exactly those
  that changed hands. ``watch_signups`` on ``*`` is the right to have a socket at all. Losing a role takes from the user
  all that the role gave, on ``*``.
- ``opened``: a handshake began (``viewer``, ``socket``, ``server``, ``after``); ``closed``: it ended (``socket``,
  ``code`` or None, ``reason``), also if it never became a socket.
- ``frame``: something was received (``viewer``, ``socket``, ``content``); what it was stands once, in the line
  ``content`` with that number, since the same frame goes to many.
- ``listed``: a viewer has read its whole list of users after ``synced`` (``viewer``, ``users``: their ids).
- ``fault``: something was broken (``name``, ``phase`` ``begin`` or ``end``, ``server`` if one was hit).
- ``over``: all was done, and everybody was waited for, who was to have been shown the user created last in his
  tenant (``last_words``: their usernames).
- ``tenant``: what the database had in the end; tests/faults/truth.py writes it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

Line = dict[str, Any]


class Operation:
    """Something that was asked for, until it is known what became of it."""

    def __init__(self, history: "History", kind: str, number: int) -> None:
        self._history = history
        self._kind = kind
        self._number = number
        self.is_decided = False

    def ok(self, **facts: Any) -> None:
        """Note that it was done."""
        self._decide("ok", facts)

    def fail(self, **facts: Any) -> None:
        """Note that it was refused."""
        self._decide("fail", facts)

    def unknown(self, **facts: Any) -> None:
        """Note that nobody said what became of it."""
        self._decide("unknown", facts)

    def _decide(self, phase: str, facts: dict[str, Any]) -> None:
        self.is_decided = True
        self._history.note(self._kind, op=self._number, phase=phase, **facts)


class History:
    """Writes the lines, from any thread. Use it as a context, or ``close`` it, before it is read."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._file = path.open("wb")
        self._operations = count(1)
        self._contents: dict[str, tuple[int, Any]] = {}
        self._encoder = msgspec.json.Encoder()

    def note(self, kind: str, **facts: Any) -> None:
        """Write a line."""
        self._file.write(self._encoder.encode({"t": self._clock(), "kind": kind, **facts}) + b"\n")

    def begin(self, kind: str, **facts: Any) -> Operation:
        """Note that something is asked for; what is returned notes what became of it."""
        number = next(self._operations)
        self.note(kind, op=number, phase="invoke", **facts)
        return Operation(self, kind, number)

    @contextmanager
    def fault(self, name: str, **facts: Any) -> Iterator[None]:
        """Note that something is broken while the body runs."""
        self.note("fault", name=name, phase="begin", **facts)
        try:
            yield
        finally:
            self.note("fault", name=name, phase="end", **facts)

    def frame(self, viewer: str, socket: int, text: str) -> Any:
        """Note a frame, and return what is in it. Half a million of them are usual, so each is parsed once for all."""
        known = self._contents.get(text)
        if known is None:
            known = self._contents[text] = len(self._contents), msgspec.json.decode(text)
            self.note("content", content=known[0], frame=known[1])
        self.note("frame", viewer=viewer, socket=socket, content=known[0])
        return known[1]

    def close(self) -> None:
        """Write out what is kept back."""
        self._file.close()

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lines_of(path: Path) -> Iterator[Line]:
    """Return the lines of a history in the order of their times: threads write them in nearly that order."""
    decode = msgspec.json.Decoder(Line).decode
    with path.open("rb") as file:
        lines = [decode(line) for line in file]
    lines.sort(key=lambda line: float(line["t"]))
    yield from lines
