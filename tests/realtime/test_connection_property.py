"""Whatever comes in whatever order: each visible event once, in order, and ``synced`` once, in its place."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from realtime import protocol
from realtime.connection import MOST_FRAMES, State
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
                self.transport.make_room()
                while not (self.hub_at == len(self.log) and self.connection.state is State.LIVE):
                    self.batch()
                self.run()
                self.check_all_that_came()
                self.connection.gone()
                self.run()
        finally:
            self.loop.close()

    def run(self):
        self.loop.run_until_complete(turns())

    @initialize(before=st.lists(st.booleans(), max_size=60), start=st.integers(0, 60), way=st.sampled_from(Way))
    def join(self, before, start, way):
        async def make():
            self.transport = Transport(room=0, way=way)
            self.connection = connection_to(self.transport)
            self.connection.control(protocol.PING)
            if self.start < len(self.log):
                self.connection.catch_up(self.start)
            else:
                self.connection.go_live(self.start)

        self.log = before
        self.hub_at = self.synced_from = len(before)
        self.start = min(start, len(before))
        self.loop.run_until_complete(make())

    @rule(visible=st.lists(st.booleans(), min_size=1, max_size=2 * MOST_FRAMES))
    def happen(self, visible):
        self.log += visible

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

    @rule(messages=st.integers(1, 2 * MOST_FRAMES))
    def drain(self, messages):
        self.transport.make_room(messages)
        self.run()

    def visible(self, after, to):
        return [position for position in range(after + 1, to + 1) if self.log[position - 1]]

    @invariant()
    @precondition(lambda self: hasattr(self, "transport"))
    def nothing_was_lost_or_repeated_so_far(self):
        came = [kind for kind in self.transport.kinds if isinstance(kind, int)]
        assert came == self.visible(self.start, len(self.log))[: len(came)]

    @invariant()
    @precondition(lambda self: hasattr(self, "connection"))
    def what_waits_is_bounded(self):
        assert self.connection.queued <= MOST_FRAMES + 1 + PAGE

    def check_all_that_came(self):
        kinds = [kind for kind in self.transport.kinds if kind not in {"ping", "rights.changed"}]
        assert kinds.count("synced") == 1
        assert [kind for kind in kinds if kind != "synced"] == self.visible(self.start, len(self.log))
        missed = self.visible(self.start, self.synced_from)
        assert kinds[: len(missed)] == missed, "synced before something that was missed"


TestOneSocket = OneSocket.TestCase
TestOneSocket.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
