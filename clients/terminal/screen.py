"""What a terminal shows: events and listed users on one stream, state and remarks on the other."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TextIO

from clients.terminal.frames import Event
from clients.terminal.states import State


class Screen(Protocol):
    """Where the watcher shows what it learns."""

    def frame(self, text: str) -> None:
        """Show a frame as it came."""

    def event(self, event: Event) -> None:
        """Show an event that has not been shown."""

    def listed(self, row: Mapping[str, Any]) -> None:
        """Show a user whose event could not be replayed, and who is in the list."""

    def state(self, state: State) -> None:
        """Show what the client does now."""

    def remark(self, text: str) -> None:
        """Show something else that is worth knowing."""


class Lines:
    """One line for each event; for people."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    def frame(self, text: str) -> None:
        """Events say it better."""

    def event(self, event: Event) -> None:
        """Show time, message, visible fields, and the names of the hidden ones."""
        _print(self._out, f"{local_time(event.at)}  {event.message}  {fields_of(event.data, event.redacted)}")

    def listed(self, row: Mapping[str, Any]) -> None:
        """Show the same of a user from the list."""
        data = {name: value for name, value in row.items() if name != "redacted"}
        shown = fields_of(data, row.get("redacted", ()))
        _print(self._out, f"{local_time(str(row['joined_at']))}  New in the list: {row['username']}  {shown}")

    def state(self, state: State) -> None:
        """Show the state on a line of its own."""
        _print(self._err, f"-- {state}")

    def remark(self, text: str) -> None:
        """Show a remark on a line of its own."""
        _print(self._err, f"-- {text}")


class RawFrames(Lines):
    """Every frame as it came, one JSON text on a line; for programs."""

    def frame(self, text: str) -> None:
        """Show the frame."""
        _print(self._out, text)

    def event(self, event: Event) -> None:
        """Its frame has been shown."""

    def listed(self, row: Mapping[str, Any]) -> None:
        """Show a row of the list as a frame of type ``listed``, which is this command's own and not the protocol's."""
        _print(self._out, json.dumps({"type": "listed", "data": row}, ensure_ascii=False))


def fields_of(data: Mapping[str, Any], hidden: tuple[str, ...] | list[str]) -> str:
    """Return the visible fields as ``name=value``, and the names of the hidden ones."""
    shown = " ".join(f"{name}={_value(value)}" for name, value in data.items())
    return f"{shown}  hidden: {', '.join(hidden)}" if hidden else shown


def local_time(at: str) -> str:
    """Return a time of the wire as this machine's time of day; as it is, if it is none."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at


def harmless(text: str) -> str:
    r"""
    Return ``text`` with whatever is not printable written as ``\uXXXX``, so that JSON stays the same JSON.

    Names and user agents are chosen by strangers: an escape sequence in one would be obeyed by the terminal.
    """
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _print(stream: TextIO, line: str) -> None:
    stream.write(harmless(line) + "\n")
    stream.flush()
