"""A history as the judge wants it: viewers with their sockets, creations, changes of rights, each tenant's truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any


@dataclass(slots=True)
class SocketLife:
    """One socket of a viewer: when it was opened, was synced (None: never) and ended, and what came when."""

    number: int
    server: str
    after: str | None
    opened: float
    closed: float = inf
    code: int | None = None
    synced: float | None = None
    is_complete: bool = False
    frames: list[tuple[float, int]] = field(default_factory=list)
    """(time, number of the content)"""


@dataclass(slots=True)
class Viewer:
    """A client, with its sockets in the order in which they were opened."""

    name: str
    user: str
    tenant: str
    sockets: list[SocketLife] = field(default_factory=list)
    listed: set[str] | None = None
    """Users that its list showed after ``synced``; None if it read none."""


@dataclass(slots=True)
class Creation:
    """A creation: when it was asked for, when and how it was answered."""

    tenant: str
    username: str
    server: str | None
    invoked: float
    decided: float = inf
    phase: str = "unknown"
    user: str | None = None
    why: str | None = None
    """What went wrong, where something did."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of rights, which took hold at some time from ``invoked`` to ``done``."""

    gives: bool
    holder: str
    subject: str
    permissions: frozenset[str]
    invoked: float
    done: float


@dataclass(frozen=True, slots=True)
class Event:
    """A row of a tenant's log, and the earliest and latest time at which it can have been committed."""

    position: int
    id: str
    subject: str
    snapshot: Mapping[str, Any]
    invoked: float
    answered: float
    """When its creation was acknowledged; infinite if nobody saw that."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """What the database had in the end of one tenant."""

    slug: str
    events: tuple[Event, ...]
    users: frozenset[str]
    groups: Mapping[str, frozenset[str]]
    """User -> the holders that stand for its groups."""
    watching: frozenset[str]
    """The users that may have a socket."""
    grants: Mapping[str, Mapping[str, frozenset[str]]]
    """Subject -> holder -> permissions."""


@dataclass(slots=True)
class Recorded:
    """A whole history."""

    viewers: dict[str, Viewer] = field(default_factory=dict)
    creations: list[Creation] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    contents: dict[int, Any] = field(default_factory=dict)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    faults: list[tuple[str, str | None, float, float]] = field(default_factory=list)
    """(name, server, begin, end)"""
    over: float = inf
    """When nothing more was waited for: then everybody was to be there. Infinite if the history was cut off before."""
    last_words: frozenset[str] = frozenset()
    """Usernames of the users created last, one in each tenant."""
    end: float = 0.0
