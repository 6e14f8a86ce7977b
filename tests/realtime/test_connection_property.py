"""Whatever comes in whatever order: each visible event once, whole, in order, and ``synced`` once, in its place."""

import asyncio
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from realtime import protocol
from realtime.connection import MOST_FRAMES, State
from realtime.protocol import Close
from tests.realtime.transport import Transport, Way, connection_to, feed, offer, turns

PAGE = 20


class OneSocket(RuleBasedStateMachine):
    """A log, a hub that reads it in batches, and one socket whose transport has room now and then."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.log = []
        self.hub_at = 0

    def teardown(self):
        try:
            if hasattr(self, "connection"):
                if self.closes:
                    self.close()
                self.transport.make_room()
                while not (self.hub_at == len(self.log) and self.connection.state is State.LIVE) and not self.closes:
                    assert self.connection.is_open
                    self.batch()
                self.run()
                self.check_all_that_came()
                self.connection.gone()
                self.run()
        finally:
            self.loop.close()

    def close(self):
        """Close in whatever state it is, and go on as if one knew nothing of it."""

        async def apply():
            self.connection.close(Close.DRAIN)

        self.log += [True] * PAGE
        self.batch()
        self.loop.run_until_complete(apply())
        self.log += [True] * PAGE
        self.batch()
        self.control()

    def run(self):
        self.loop.run_until_complete(turns())

    @initialize(
        before=st.lists(st.booleans(), max_size=60),
        start=st.integers(0, 60),
        way=st.sampled_from([*Way, Way.STRAIGHT, Way.STRAIGHT]),
        room=st.integers(0, 4 * MOST_FRAMES),
        closes=st.booleans(),
    )
    def join(self, before, start, way, room, closes):
        async def make():
            self.transport = Transport(room=room, way=way)
            self.connection = connection_to(self.transport)
            self.connection.control(protocol.PING)
            if self.start < len(self.log):
                self.connection.catch_up(self.start)
            else:
                self.connection.go_live(self.start)

        self.log, self.closes = before, closes
        self.hub_at = self.synced_from = len(before)
        self.start = min(start, len(before))
        self.loop.run_until_complete(make())

    @rule(visible=st.lists(st.booleans(), min_size=1, max_size=2 * MOST_FRAMES))
    def happen(self, visible):
        self.log += visible

    @rule(events=st.lists(st.integers(1, 5), min_size=2, max_size=8))
    def flow(self, events):
        """A few events, and then a few: to one who keeps up they go straight."""
        for number in events:
            self.log += [True] * number
            self.batch()

    @rule()
    def batch(self):
        """What the hub does with one snapshot: deliver what is new, then feed who is behind."""

        async def apply():
            reached = min(self.hub_at + PAGE, len(self.log))
            offer(self.connection, *self.visible(self.hub_at, reached))
            self.hub_at = reached
            if self.connection.wants_page:
                self.feed()

        self.loop.run_until_complete(apply())
        self.run()

    def feed(self):
        after = self.connection.considered
        reached = min(after + PAGE, len(self.log))
        feed(self.connection, *self.visible(after, reached), reached=reached, is_up_to_date=reached >= self.hub_at)

    @rule()
    def rewind(self):
        async def apply():
            self.connection.rewind()
            self.connection.control(protocol.rights_changed([]))

        self.loop.run_until_complete(apply())

    @rule()
    def control(self):
        async def apply():
            self.connection.control(protocol.PING)

        self.loop.run_until_complete(apply())

    @rule()
    def renew(self):
        async def apply():
            self.connection.renew(replace(self.connection.identity, token_expires_at=2_000_000_000.0))

        self.loop.run_until_complete(apply())

    @rule(messages=st.integers(1, 2 * MOST_FRAMES), half=st.booleans())
    def drain(self, messages, half):
        """Make room: for a half of a frame too, so that the kernel takes a part of it."""
        self.transport.make_room(messages - half / 2)
        self.run()

    def visible(self, after, to):
        return [position for position in range(after + 1, to + 1) if self.log[position - 1]]

    @invariant()
    @precondition(lambda self: hasattr(self, "transport"))
    def nothing_was_lost_or_repeated_so_far(self):
        came = [kind for kind in self.transport.kinds if isinstance(kind, int) and kind != Close.DRAIN]
        assert came == self.visible(self.start, len(self.log))[: len(came)]

    @invariant()
    @precondition(lambda self: hasattr(self, "connection"))
    def what_waits_is_bounded(self):
        assert self.connection.queued <= MOST_FRAMES + 1 + PAGE

    def check_all_that_came(self):
        kinds = [kind for kind in self.transport.kinds if kind not in {"ping", "rights.changed", "auth.ok"}]
        if self.closes:
            assert kinds[-2:] == ["goodbye", Close.DRAIN], "nothing goes behind a close"
            assert "goodbye" not in kinds[:-2]
            return
        assert kinds.count("synced") == 1
        assert [kind for kind in kinds if kind != "synced"] == self.visible(self.start, len(self.log))
        missed = self.visible(self.start, self.synced_from)
        assert kinds[: len(missed)] == missed, "synced before something that was missed"


TestOneSocket = OneSocket.TestCase
TestOneSocket.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
