"""
One batch's answer, applied to audiences: to each of them in one turn of the loop, without an await.

Rights first, then what is new, then whoever joins, then the pages of those who catch up. All of it is of one snapshot,
so that no frame is made under a right from another moment.
"""

import logging
import random
from collections.abc import Callable, Iterable

from django.conf import settings

from realtime import cursors, protocol, rights
from realtime.audience import Audience, Entry
from realtime.connection import Connection, Crowd, Identity, State, hand_out
from realtime.kinds import permissions_by_field
from realtime.log import Page
from realtime.outlets import Parcel
from realtime.projection import Projector
from realtime.protocol import Close
from realtime.showing import Pages, Showing
from realtime.snapshot import Answer, TenantFacts, TenantPlan

logger = logging.getLogger(__name__)


def apply(answer: Answer, planned: Iterable[tuple[Audience, TenantPlan]], projector: Projector) -> list[Audience]:
    """
    Have audiences take in what a snapshot read for them; return those for whom there is more to read at once.

    Each step is made for all of them before the next one, in one turn of the loop. What it takes to make frames, and
    what the kernel takes to send them, do not fit into a core's cache together.
    """
    batches = [Batch(answer, audience, plan, projector) for audience, plan in planned]
    for step in (Batch.begin, Batch.renew_rights, Batch.project, Batch.deliver, Batch.catch_up):
        batches = [batch for batch in batches if batch.take(step)]
    return [batch.audience for batch in batches if batch.has_more]


class Batch:
    """One answer for one audience, while it is being applied: step by step, until one of them says that it is over."""

    __slots__ = ("_parcels", "answer", "audience", "facts", "has_more", "is_over", "planned", "showing")

    def __init__(self, answer: Answer, audience: Audience, planned: TenantPlan, projector: Projector) -> None:
        self.audience = audience
        self.answer = answer
        self.facts: TenantFacts
        """The tenant, once it has begun."""
        self.planned = planned
        self.showing = Showing(answer, audience, projector)
        self.is_over = False
        self.has_more = False
        """Whether, in the end, there is more to read at once."""
        self._parcels: list[tuple[Parcel, Crowd]] = []
        """What is to be delivered, and to whom."""

    def take(self, step: "Callable[[Batch], None]") -> bool:
        """Take a step, and return whether there may be another; one that fails closes this tenant's sockets."""
        try:
            step(self)
        except Exception:
            # One tenant's fault is no other's: its clients resume, here or on another server.
            logger.exception("a batch could not be applied; closing the sockets of its tenant")
            self._close_all(Close.SERVER_ERROR)
            return False
        return not self.is_over

    def begin(self) -> None:
        """Find the tenant as it is now; close its sockets if it is no more, or was put back to what it has been."""
        facts = self.answer.tenants.get(self.audience.tenant_id)
        if facts is None:
            self._close_all(Close.NOT_AUTHORISED)
            self.is_over = True
            return
        self.facts = facts
        if self.planned.position is not None and facts.head < self.planned.position:
            # A backup was put back under us: what these clients have seen is a log that is no more.
            self._close_all(Close.RESYNC)
            self.audience.position, self.audience.rights = facts.head, facts.rights
            self.is_over = True

    def _close_all(self, close: Close) -> None:
        for connection in list(self.audience.members):
            connection.close(close)

    def renew_rights(self) -> None:
        """Load what the snapshot loaded; close whoever lost admission; tell whoever sees or may do something else."""
        self.audience.rights = self.facts.rights
        told = set(self.answer.told.get(self.audience.tenant_id, ())) if self.answer.told else set()
        if self.answer.loaded:
            for session_id in self.audience.entries.keys() & self.answer.loaded:
                entry = self.audience.entries[session_id]
                was = entry.viewer
                if self._loaded(entry) and entry.viewer != was:
                    told.add(session_id)
        if not self.facts.is_active or self.audience.endings.is_due(self.answer.read_at):
            self._close_ended()
        if told:
            for session_id in told & self.audience.entries.keys():
                entry = self.audience.entries[session_id]
                for connection in entry.connections:
                    connection.rewind()
                    connection.control(protocol.rights_changed(entry.viewer.permissions))

    def _loaded(self, entry: Entry) -> bool:
        """Have an entry stand as the snapshot has it; close its connections, and return False, if it may not watch."""
        session_id = entry.standing.session_id
        standing, viewer = self.answer.standings.get(session_id), self.answer.viewers.get(session_id)
        if standing is not None and standing.tenant_id not in (None, self.audience.tenant_id):
            self._close(entry, Close.NOT_AUTHORISED)  # moved to another tenant, whose staff he may well be
            return False
        refusal = rights.refusal_of(standing, viewer, now=self.answer.read_at)
        if refusal is not None or standing is None or viewer is None:
            self._close(entry, refusal)
            return False
        self.audience.load(entry, standing, viewer)
        return True

    def project(self) -> None:
        """Make the frames of what is new, once per class, and move to behind it."""
        page = self.planned.page
        if page is None:
            self.audience.position = self.facts.head
            return
        events, end = self.answer.pages.get(page, ()), self._end_of(page)
        if len(events) < end - page[1]:  # all of them are behind where the page begins
            self._resync()
            return
        for alike in self.showing.classes(events):
            try:
                parcels = self.showing.parcels(events, alike)
            except Exception:
                # An error in one class stops that class alone, and its clients resume somewhere else.
                logger.exception("events could not be projected for a class of viewers")
                for entry in list(alike.entries):
                    self._close(entry, Close.SERVER_ERROR)
                continue
            for parcel in parcels:
                self._parcels.append((parcel, alike.crowd))
        self.audience.position = end

    def deliver(self) -> None:
        """Hand every live connection what its class is shown."""
        for parcel, crowd in self._parcels:
            hand_out(parcel, crowd)

    def catch_up(self) -> None:
        """Let in who has come, and feed those who are behind; all of them come after what was delivered."""
        audience = self.audience
        if audience.newcomers or audience.renewals or audience.behind:  # hardly ever
            self.admit()
            self.renew_tokens()
            self.feed()
        self.has_more = audience.position != self.facts.head or (
            bool(audience.behind) and any(c.wants_page for c in audience.behind)
        )

    def admit(self) -> None:
        """Let in whoever registered before the plan was made and was loaded by it."""
        if not self.audience.newcomers:
            return
        for connection, resumption in list(self.audience.newcomers.items()):
            if connection.identity.session_id not in self.answer.loaded:
                continue  # registered after the plan
            if resumption is not None and resumption not in self.answer.resumed:
                continue  # another socket of the same session was planned, not this one; or it is to be counted later
            del self.audience.newcomers[connection]
            if not connection.is_open:
                continue  # closed while it waited, and about to leave
            refusal = self._refusal(connection.identity, stranger=Close.NOT_AUTHORISED)
            if refusal is not None:
                connection.close(refusal)
                continue
            self._welcome(connection)
            start = self.facts.head if resumption is None else self.answer.resumed[resumption]
            if isinstance(start, str):
                connection.sync_reason, start = start, self.facts.head
            if start < self.facts.head:
                connection.catch_up(start)
            else:
                connection.go_live(start)

    def renew_tokens(self) -> None:
        """Accept the tokens shown on open sockets, or close; each socket ends with the session it has shown last."""
        if not self.audience.renewals:
            return
        for connection, identity in list(self.audience.renewals.items()):
            if identity.session_id not in self.answer.loaded or connection in self.audience.newcomers:
                continue  # shown after the plan, or on a socket that is still to be let in
            del self.audience.renewals[connection]
            refusal = self._refusal(identity, stranger=Close.UNAUTHENTICATED)
            if refusal is not None:
                connection.close(refusal)
                continue
            self.audience.leave(connection)
            connection.renew(identity)
            self._enter(connection)
            if connection.state is State.CATCHING_UP:
                self.audience.behind.add(connection)

    def feed(self) -> None:
        """Give those who catch up what they missed; whoever has reached the hub's position is live."""
        if not self.audience.behind:
            return
        left = self.audience.frames_a_turn
        pages = Pages(self.showing)
        # By chance, so that nobody is left for last again and again.
        for connection in random.sample(list(self.audience.behind), len(self.audience.behind)):
            entry = self.audience.entries.get(connection.identity.session_id)
            if connection.state is not State.CATCHING_UP or entry is None or connection not in entry.connections:
                self.audience.behind.discard(connection)
            elif (
                left > 0 and connection.wants_page and (page := self.audience.page_of(connection)) in self.answer.pages
            ):
                left -= self._feed(connection, entry, page, pages)

    def _feed(self, connection: Connection, entry: Entry, page: Page, pages: Pages) -> int:
        """Give a connection what it missed of a page, and return how many frames that was."""
        after = connection.considered
        if not pages.is_whole(page, after=after, end=self._end_of(page)):
            self.audience.behind.discard(connection)
            connection.cut_off(self.audience.position or self.facts.head, cursors.UNKNOWN)
            return 0
        try:
            shown, reached = pages.missed(entry, page, after=after, end=self._end_of(page))
        except Exception:
            logger.exception("a page of the log could not be projected")
            connection.close(Close.SERVER_ERROR)
            return 0
        is_up_to_date = reached >= (self.audience.position or 0)
        if is_up_to_date:
            self.audience.behind.discard(connection)
        connection.feed(shown, reached=reached, is_up_to_date=is_up_to_date)
        return len(shown)

    def _end_of(self, page: Page) -> int:
        _, after, length = page
        return min(after + length, self.facts.head)

    def _resync(self) -> None:
        """Have all clients come back: what they were to be sent next is in the log no more."""
        logger.error("the log of a tenant lacks events that were not delivered yet; its sockets are closed to resume")
        for entry in list(self.audience.entries.values()):
            self._close(entry, Close.RESYNC)
        self.audience.position = self.facts.head

    def _refusal(self, identity: Identity, *, stranger: Close) -> Close | None:
        """Why a token's holder may not watch this tenant; ``stranger`` for one who is not whom the token names."""
        standing = self.answer.standings.get(identity.session_id)
        viewer = self.answer.viewers.get(identity.session_id)
        if standing is not None and (standing.user_id, standing.tenant_id) != (
            identity.user_id,
            self.audience.tenant_id,
        ):
            return stranger
        if identity.token_expires_at <= self.answer.read_at:
            return Close.TOKEN_EXPIRED
        return rights.refusal_of(standing, viewer, now=self.answer.read_at)

    def _enter(self, connection: Connection) -> Entry:
        """Put a connection into the entry of its session, as this snapshot has it."""
        session_id = connection.identity.session_id
        standing, viewer = self.answer.standings[session_id], self.answer.viewers[session_id]
        return self.audience.enter(connection, standing, viewer)

    def _welcome(self, connection: Connection) -> None:
        entry = self._enter(connection)
        standing, viewer = entry.standing, entry.viewer
        connection.control(
            protocol.ready(
                session=str(standing.session_id),
                user={"id": str(standing.user_id), "username": standing.username},
                tenant=standing.tenant_slug or "",
                permissions=viewer.permissions,
                fields=permissions_by_field(),
                token_expires_at=connection.identity.token_expires_at,
                heartbeat_seconds=settings.USHER.heartbeat_seconds,
                pong_seconds=settings.USHER.pong_seconds,
                limits={
                    "message_bytes": protocol.LONGEST_MESSAGE,
                    "resume_events": cursors.MOST_VISIBLE,
                    "resume_days": self.facts.retention.days,
                },
            )
        )

    def _close_ended(self) -> None:
        """Close whoever may not watch any more though nothing of him was loaded: by the clock, or by a suspension."""
        now = self.answer.read_at
        if not self.facts.is_active:
            for entry in list(self.audience.entries.values()):
                refusal = rights.refusal_of(entry.standing, entry.viewer, now=now)
                self._close(entry, refusal or Close.TENANT_SUSPENDED)
        for connection in self.audience.endings.due(now):
            entry = self.audience.entries[connection.identity.session_id]
            refusal = rights.refusal_of(entry.standing, entry.viewer, now=now)
            connection.close(refusal or Close.TOKEN_EXPIRED)
            self.audience.leave(connection)

    def _close(self, entry: Entry, close: Close | None) -> None:
        for connection in list(entry.connections):
            connection.close(close or Close.SESSION_ENDED)
            self.audience.leave(connection)
        self.audience.forget(entry)
