"""
What kinds of events there are. A feature declares its own; nothing else in realtime/ knows any by name.

To add one: say its name, what it is about, the object permission to hear of it, and for each field the object
permission to see it. The subject's model needs a UUID key and guardian permission models of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

Names = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event's data, and the codename of the object permission that shows it."""

    name: str
    permission: str


@dataclass(frozen=True)
class EventKind:
    """
    A declared kind of event.

    ``name`` is the frame's type; ``subject`` the model it is about ("accounts.User"); ``hear`` the codename without
    which a viewer learns nothing of it; ``fields`` in the order in which hidden ones are named; ``message`` a format
    over the fields that everybody who hears of it sees.
    """

    name: str
    subject: str
    hear: str
    fields: tuple[Field, ...]
    message: str

    def message_about(self, snapshot: Mapping[str, Any]) -> str:
        """Return the sentence for a person, made only of fields that ``hear`` itself shows."""
        sentence = self._sentence
        if sentence is None:
            return self.message.format_map({name: snapshot.get(name) for name in self._heard})
        words, names = sentence
        return words % tuple(map(snapshot.get, names))

    @cached_property
    def _sentence(self) -> tuple[str, tuple[str, ...]] | None:
        """The message for ``%``, a quarter of the time, and what it names; None if that is not all."""
        words, names = "", []
        for text, name, spec, conversion in Formatter().parse(self.message):
            words += text.replace("%", "%%")
            if name is None:
                continue
            if spec or conversion or not name.isidentifier() or name not in self._heard:
                return None
            words += "%s"
            names.append(name)
        return words, tuple(names)

    @cached_property
    def _heard(self) -> tuple[str, ...]:
        """The names of the fields that ``hear`` itself shows."""
        return tuple(field.name for field in self.fields if field.permission == self.hear)

    @cached_property
    def permissions(self) -> frozenset[str]:
        """The codenames that matter for this kind: to hear, and to see each field."""
        return frozenset({self.hear, *(field.permission for field in self.fields)})

    def names_of(self, permissions: frozenset[str]) -> "Names":
        """Return the names of the fields that these permissions show, and of the others; each in declared order."""
        names = self._names.get(permissions)
        if names is None:
            shown = tuple(field.name for field in self.fields if field.permission in permissions)
            hidden = tuple(field.name for field in self.fields if field.permission not in permissions)
            names = self._names[permissions] = shown, hidden
        return names

    @cached_property
    def _names(self) -> "dict[frozenset[str], Names]":
        """What was asked for so far: there are not many sets of these permissions."""
        return {}


class UnknownKind(LookupError):
    """An event of a kind that nobody declared."""


_kinds: dict[str, EventKind] = {}


def declare(kind: EventKind) -> None:
    """Make a kind of event known; declaring it again replaces it."""
    _kinds[kind.name] = kind


def is_declared(name: str) -> bool:
    """Tell whether this process knows a kind: a newer one, beside it during a deployment, may append others."""
    return name in _kinds


def kind_named(name: str) -> EventKind:
    """Return the declared kind of that name; raises ``UnknownKind``."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"event kind is {name!r}; expected one of {sorted(_kinds)}: declare it first") from None


def declared() -> tuple[EventKind, ...]:
    """Return all declared kinds."""
    return tuple(_kinds.values())


def permissions_by_field() -> dict[str, str]:
    """
    Return, for clients, the permission that shows each field.

    A field that an earlier kind shows by another permission stands as ``<kind>.<field>``.
    """
    table: dict[str, str] = {}
    for kind in declared():
        for field in kind.fields:
            if table.setdefault(field.name, field.permission) != field.permission:
                table[f"{kind.name}.{field.name}"] = field.permission
    return table
