"""The clocks of a socket: pings and their answers, the reminder, and the end of the token."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from realtime import lifetime as module
from realtime.beats import MOMENTS
from realtime.connection import State
from realtime.lifetime import Lifetime
from tests.realtime.clock import run
from tests.realtime.transport import Transport, connection_to

LONG = 10_000.0


class Watched(Transport):
    """A transport that notes when each message came, counted from its making."""

    def __init__(self, loop):
        super().__init__()
        self._loop = loop
        self._began = loop.time()
        self.moments = []

    async def send(self, message):
        self.moments.append(round(self._loop.time() - self._began, 1))
        await super().send(message)

    @property
    def story(self):
        return list(zip(self.kinds, self.moments, strict=True))


@pytest.fixture
def socket(monkeypatch):
    """Make a connection, its transport and its clocks on a loop; ``token``: the seconds that its token has left."""

    def make(loop, *, token=LONG, heartbeat=25.0, pong=10.0, is_joining=False):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=loop.wall_clock))
        transport = Watched(loop)
        connection = connection_to(transport)
        connection.identity = replace(connection.identity, token_expires_at=loop.wall_clock() + token)
        if not is_joining:
            connection.catch_up(0)
        return connection, transport, Lifetime(connection, heartbeat_seconds=heartbeat, pong_seconds=pong)

    return make


def test_a_ping_every_heartbeat_as_long_as_each_is_answered(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop)
        for pings in range(1, 11):
            while len(transport.messages) < pings:  # noqa: ASYNC110  a clock is what is tested
                await asyncio.sleep(1)
            lifetime.heard()
        lifetime.stop()
        return connection.state, transport.kinds, transport.moments

    state, kinds, moments = run(main)

    assert state is not State.CLOSED
    assert kinds == ["ping"] * 10
    assert 200 <= moments[-1] <= 312, "25 s apart, a fifth more or less, and the second to look"


def test_a_clock_that_is_set_back_gives_a_token_no_more_time(socket, monkeypatch):
    async def main(loop):
        connection, transport, _ = socket(loop, token=30.0)
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: loop.wall_clock() - 3600))
        await asyncio.sleep(31)
        return connection.state, transport.story

    state, story = run(main)

    assert state is State.CLOSED
    assert story[-1] == (4101, 30.0)


def test_pings_of_sockets_opened_together_are_spread(socket):
    async def main(loop):
        sockets = [socket(loop) for _ in range(200)]
        await asyncio.sleep(32)
        for _, _, lifetime in sockets:
            lifetime.stop()
        return [transport.moments[0] for _, transport, _ in sockets]

    moments = run(main)

    assert 20 <= min(moments) < 22
    assert 28 < max(moments) <= 30.1


def test_a_ping_that_is_not_answered_in_time_closes(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop)
        await asyncio.sleep(60)
        lifetime.stop()
        connection.gone()
        return transport.story

    (_, pinged), (goodbye, said), (code, closed) = run(main)

    assert (goodbye, code) == ("goodbye", 4003)
    assert said == closed
    assert 10 - 0.1 < said - pinged < 10 * (1 + 1 / MOMENTS) + 0.2, "all of it rounded"


def test_any_traffic_is_an_answer_and_puts_off_the_next_ping(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop)
        for _ in range(60):
            await asyncio.sleep(5)
            lifetime.heard()
        lifetime.stop()
        return connection.state, transport.kinds

    assert run(main) == (State.CATCHING_UP, []), "300 s of talking, and no ping"


def test_a_minute_before_the_end_of_the_token_comes_a_reminder_and_then_the_end(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=300, heartbeat=LONG)
        await asyncio.sleep(400)
        lifetime.stop()
        connection.gone()
        return transport.story, transport.texts

    story, texts = run(main)

    assert [kind for kind, _ in story] == ["auth.expiring", "goodbye", 4101]
    assert [moment for _, moment in story] == pytest.approx([240, 300, 300], abs=0.2)
    assert texts[0]["token_expires_at"].endswith("Z")


def test_a_short_token_is_reminded_of_half_way(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=30, heartbeat=LONG)
        await asyncio.sleep(100)
        lifetime.stop()
        connection.gone()
        return transport.story

    story = run(main)

    assert [kind for kind, _ in story] == ["auth.expiring", "goodbye", 4101]
    assert [moment for _, moment in story] == pytest.approx([15, 30, 30], abs=0.2)


def test_the_reminder_waits_for_ready_but_the_end_does_not(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=30, heartbeat=LONG, is_joining=True)
        await asyncio.sleep(20)
        before = transport.kinds
        connection.catch_up(0)
        await asyncio.sleep(2)
        lifetime.stop()
        other, cut_short, lifetime = socket(loop, token=30, heartbeat=LONG, is_joining=True)
        await asyncio.sleep(31)
        lifetime.stop()
        other.gone()
        return before, transport.kinds, cut_short.kinds

    assert run(main) == ([], ["auth.expiring"], ["goodbye", 4101])


def test_a_token_that_has_ended_already_closes_at_once(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=-1)
        lifetime.stop()
        connection.gone()
        return transport.kinds

    assert run(main) == ["goodbye", 4101]


def test_a_renewed_token_counts_instead_and_is_reminded_of_again(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=100, heartbeat=LONG)
        await asyncio.sleep(30)
        connection.renew(replace(connection.identity, token_expires_at=loop.wall_clock() + 300))
        await asyncio.sleep(500)
        lifetime.stop()
        connection.gone()
        return transport.story

    story = run(main)

    assert [kind for kind, _ in story] == ["auth.ok", "auth.expiring", "goodbye", 4101]
    assert [moment for _, moment in story] == pytest.approx([30, 270, 330, 330], abs=0.3)


def test_a_token_that_ends_before_the_one_it_replaces_counts_too(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=300, heartbeat=LONG)
        connection.renew(replace(connection.identity, token_expires_at=loop.wall_clock() + 20))
        await asyncio.sleep(100)
        lifetime.stop()
        connection.gone()
        return transport.story

    story = run(main)

    assert [kind for kind, _ in story] == ["auth.ok", "auth.expiring", "goodbye", 4101]
    assert [moment for _, moment in story] == pytest.approx([0, 10, 20, 20], abs=0.3)


def test_a_stopped_clock_does_nothing_any_more(socket):
    async def main(loop):
        connection, transport, lifetime = socket(loop, token=100)
        lifetime.stop()
        await asyncio.sleep(1000)
        return connection.state, transport.kinds

    assert run(main) == (State.CATCHING_UP, [])
