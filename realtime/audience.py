"""The members of one tenant's group in this process, and all that the hub knows of the tenant while it has any."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import msgspec

from realtime import cursors
from realtime.connection import Connection, Crowd, Identity, StandingCrowd
from realtime.cursors import Resumption
from realtime.endings import Endings
from realtime.log import PAGE, Page
from realtime.ports import Standing
from realtime.rights import NOTHING, Held, Viewer
from realtime.snapshot import TenantPlan

FRAMES_A_TURN = 5_000
"""
So many frames one tenant's sockets are handed in one turn of the loop, more or less.

At some 20 microseconds each that is a tenth of a second, for which all else on the loop waits: the sockets of other
tenants, and the requests. Not so many positions are read when there are many sockets; the rest comes in the next turn.
"""
JOINED_A_TURN = 8 * FRAMES_A_TURN
"""The same where frames leave joined: eight in one write take little more than one of them."""
PAGES_A_TURN = FRAMES_A_TURN // PAGE
"""So many pages are read in one turn for those who catch up, however many these are."""


@dataclass(slots=True)
class Entry:
    """
    A session that is watching: its standing and its viewer, and its sockets.

    They are as the snapshot had them that the audience's counter is of, or an earlier one: then no change since has
    named anything of this session.
    """

    standing: Standing
    viewer: Viewer
    connections: set[Connection] = field(default_factory=set)


class ViewerClass:
    """The sessions of viewers who are in the same groups, and their sockets."""

    __slots__ = ("_crowd", "entries")

    def __init__(self) -> None:
        self.entries: dict[UUID, Entry] = {}
        self._crowd: StandingCrowd | None = None

    @property
    def crowd(self) -> Crowd:
        """All sockets of these sessions. The same as before, as long as nobody has come or gone."""
        if self._crowd is None:
            self._crowd = StandingCrowd(c for entry in self.entries.values() for c in entry.connections)
        return self._crowd

    def changed(self) -> None:
        """Note that somebody has come or gone."""
        self._crowd = None


NOBODY = Crowd(())


class Alike:
    """
    Viewers who hold the same on all subjects of some events.

    They are those of a class, or one user of it who holds something on one of the subjects by himself.
    """

    __slots__ = ("_by_groups", "_held", "crowd", "entries", "group_ids", "user_id")

    def __init__(
        self, group_ids: Iterable[int], user_id: UUID | None, crowd: Crowd = NOBODY, entries: Collection[Entry] = ()
    ) -> None:
        self.group_ids = tuple(group_ids)
        self.user_id = user_id
        """Whose they are, if not those of a whole class."""
        self.crowd = crowd
        """Their sockets."""
        self.entries = entries
        """Their sessions."""
        self._by_groups: Mapping[int, frozenset[str]] | None = None
        """What groups held on the subject that was asked for last."""
        self._held = NOTHING

    def held(self, held: Held) -> frozenset[str]:
        """Return what they hold, of what is held on a subject."""
        if self.user_id is not None:
            return held.of(self.group_ids, self.user_id)
        # No right is remembered here: what groups hold was read for this batch, and nearly always is the very object of
        # the one before. To look into that, among those of thousands of tenants, is a way to memory for each group.
        if held.by_groups is not self._by_groups:
            self._by_groups, self._held = held.by_groups, held.of(self.group_ids)
        return self._held


class AudiencePlan(msgspec.Struct, frozen=True):
    """What one tenant's audience wants the next snapshot to read."""

    tenant: TenantPlan
    joining: frozenset[UUID] = frozenset()
    """Sessions to load: those of newcomers, and of tokens shown on open sockets."""
    resumptions: frozenset[Resumption] = frozenset()
    """What those of the newcomers ask for who have a cursor."""
    pages: frozenset[Page] = frozenset()


class Audience:
    """One tenant's watchers. Lives on the hub's loop, from the first member to the last."""

    __slots__ = (
        *("behind", "classes", "endings", "entries", "members", "newcomers", "position", "renewals", "rights"),
        *("slug", "tenant_id", "_alike", "_left", "_viewers"),
    )

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.slug = ""
        """The tenant's, as whoever was loaded last has it."""
        self.position: int | None = None
        self.rights: int | None = None
        self.members: set[Connection] = set()
        """All connections, whatever their state."""
        self.entries: dict[UUID, Entry] = {}
        self.classes: dict[frozenset[int], ViewerClass] = {}
        """The same entries by the groups that their viewers are in: what these give, a class has in common."""
        self.newcomers: dict[Connection, Resumption | None] = {}
        """Who waits to be let in, the first first, and where those begin who have a cursor."""
        self.renewals: dict[Connection, Identity] = {}
        """Connections that have shown another token; judged, like newcomers, by the next snapshot."""
        self.behind: set[Connection] = set()
        self.endings = Endings()
        self._alike: Sequence[Alike] | None = None
        self._left: set[UUID] = set()
        """Sessions that have lost a socket, perhaps the last."""
        self._viewers: Mapping[UUID, Viewer] | None = {}
        """What the last plan had, as long as that is true."""

    def join(self, connection: Connection) -> None:
        """Register a connection: it is loaded by the next snapshot, and nothing read before that counts."""
        self.members.add(connection)
        self.newcomers[connection] = self._resumption_of(connection)

    def renew(self, connection: Connection, identity: Identity) -> None:
        """Note that a connection has shown another token of the same user."""
        self.renewals[connection] = identity

    def enter(self, connection: Connection, standing: Standing, viewer: Viewer) -> Entry:
        """Put a connection among those of its session, which some snapshot has just loaded; return that entry."""
        self.members.add(connection)
        entry = self.entries.get(standing.session_id)
        if entry is None:
            entry = self.entries[standing.session_id] = Entry(standing, viewer)
            self.slug = standing.tenant_slug or ""
            self._put_into_class(entry)
        else:
            self.load(entry, standing, viewer)
        entry.connections.add(connection)
        self._class_changed(entry.viewer.group_ids)
        self._watch_end_of(connection, standing)
        return entry

    def load(self, entry: Entry, standing: Standing, viewer: Viewer) -> None:
        """Have an entry stand as a snapshot has just read it."""
        was = entry.standing
        if viewer != entry.viewer:
            self._take_from_class(entry)
            entry.viewer = viewer
            self._put_into_class(entry)
        entry.standing = standing
        self.slug = standing.tenant_slug or ""
        if standing.session_expires_at != was.session_expires_at:
            for connection in entry.connections:
                self._watch_end_of(connection, standing)

    def forget(self, entry: Entry) -> None:
        """Forget a session; its connections are to leave by themselves."""
        if self.entries.pop(entry.standing.session_id, None) is not None:
            self._take_from_class(entry)

    def _put_into_class(self, entry: Entry) -> None:
        of_class = self.classes.get(entry.viewer.group_ids)
        if of_class is None:
            of_class = self.classes[entry.viewer.group_ids] = ViewerClass()
        of_class.entries[entry.viewer.session_id] = entry
        self._class_changed(entry.viewer.group_ids)
        self._viewers = None

    def _take_from_class(self, entry: Entry) -> None:
        of_class = self.classes[entry.viewer.group_ids]
        del of_class.entries[entry.viewer.session_id]
        self._class_changed(entry.viewer.group_ids)
        if not of_class.entries:
            del self.classes[entry.viewer.group_ids]
        self._viewers = None

    def _class_changed(self, group_ids: frozenset[int]) -> None:
        self.classes[group_ids].changed()
        self._alike = None

    @property
    def alike(self) -> Sequence[Alike]:
        """All who watch, by class, where nobody holds anything by himself: the same until one comes or goes."""
        if self._alike is None:
            self._alike = tuple(
                Alike(group_ids, None, c.crowd, c.entries.values()) for group_ids, c in self.classes.items()
            )
        return self._alike

    def _watch_end_of(self, connection: Connection, standing: Standing) -> None:
        self.endings.put(connection, min(connection.identity.token_expires_at, standing.session_expires_at))

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self.members.discard(connection)
        self.newcomers.pop(connection, None)
        self.renewals.pop(connection, None)
        self.behind.discard(connection)
        self.endings.remove(connection)
        entry = self.entries.get(connection.identity.session_id)
        if entry is not None:
            entry.connections.discard(connection)
            self._class_changed(entry.viewer.group_ids)
            self._left.add(connection.identity.session_id)

    def plan(self, places: int) -> AudiencePlan:
        """
        Return what the next snapshot must read; sessions without a socket are forgotten first.

        It lets in so many newcomers at most. What is not to be read anew costs nothing here, however many watch.
        """
        if self._left:
            self._forget_empty()
        if self._viewers is None:
            self._viewers = {session_id: entry.viewer for session_id, entry in self.entries.items()}
        tenant = TenantPlan(self.tenant_id, self.rights, self.position, self._viewers, self._length())
        if not (self.newcomers or self.renewals or self.behind):
            return AudiencePlan(tenant)  # as nearly always; a server has thousands of tenants
        coming_in = dict(islice(self.newcomers.items(), places))
        return AudiencePlan(
            tenant,
            joining=frozenset(
                {connection.identity.session_id for connection in coming_in}
                | {identity.session_id for identity in self.renewals.values()}
            ),
            resumptions=frozenset(r for r in coming_in.values() if r is not None),
            pages=self._next_pages(),
        )

    def to_compare(self, now: float) -> tuple[int, int, int] | None:
        """Return what a sweep compares: tenant's id, position, rights counter. None if it is to be read anyway."""
        if self.position is None or self.rights is None or self.newcomers or self.renewals or self.behind:
            return None
        if self._left or self.endings.is_due(now):
            return None
        return self.tenant_id, self.position, self.rights

    def _length(self) -> int:
        sockets = len(self.members)
        return PAGE if sockets * PAGE <= FRAMES_A_TURN else max(1, min(PAGE, self.frames_a_turn // sockets))

    def _forget_empty(self) -> None:
        for entry in [entry for session_id in self._left if (entry := self.entries.get(session_id)) is not None]:
            if not entry.connections:
                self.forget(entry)
        self._left.clear()

    @property
    def frames_a_turn(self) -> int:
        """So many frames the sockets may be handed in one turn of the loop. They are of one server, and leave alike."""
        return JOINED_A_TURN if any(c.leaves_joined for c in islice(self.members, 1)) else FRAMES_A_TURN

    def _next_pages(self) -> frozenset[Page]:
        wanted = {self.page_of(connection) for connection in self.behind if connection.wants_page}
        # By chance, so that nobody is left for last again and again.
        return frozenset(wanted if len(wanted) <= PAGES_A_TURN else random.sample(sorted(wanted), PAGES_A_TURN))

    def page_of(self, connection: Connection) -> Page:
        """
        Return the page in which a connection that catches up goes on.

        Pages begin at the same positions for everybody: who comes back after an outage has missed much the same, and
        it is read once.
        """
        return self.tenant_id, connection.considered - connection.considered % PAGE, PAGE

    def _resumption_of(self, connection: Connection) -> Resumption | None:
        if connection.cursor is None:
            return None
        return Resumption(self.tenant_id, connection.identity.session_id, cursors.parse(connection.cursor))
