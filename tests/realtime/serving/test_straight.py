"""
The straight way under uvicorn: past the transport, for as long as nothing goes before, and never behind a close.

Servers of their own try it too (``test_lane``). Here the application writes in every single turn of the loop, as no hub
does, so that there is no turn in which something could go out behind a close.
"""

import asyncio
import json
import random

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from realtime import connection as connection_module
from realtime import protocol
from realtime.protocol import Close
from tests.realtime.serving.pairs import EVENT, GOODBYE, PATIENCE, PING, PONG, until
from tests.realtime.transport import connection_to, offer, size_of_first, text_in

MISTAKE = b"\x81\x02hi"  # a frame without mask
BIG = b"\x82\x7f" + (2**20).to_bytes(8, "big") + b"b" * 2**20
DRAIN = Frame(Opcode.CLOSE, Close.DRAIN.to_bytes(2, "big") + Close.DRAIN.reason.encode()).serialize(mask=False)


@pytest.fixture
async def pair(open_pair):
    """A socket that is written to in every turn of the loop."""
    pair = await open_pair()
    assert pair.application.go_straight()
    pair.application.write()
    return pair


def close(pair):
    pair.answers = True
    pair.closing = asyncio.ensure_future(pair.application.send({"type": "websocket.close", "code": 4002}))


ENDS = {
    "a close of the client": (lambda pair: pair.say(GOODBYE), 1000),
    "a ping and a close in one packet": (
        lambda pair: pair.say(PING + GOODBYE),
        1000,
    ),
    "a mistake of the client": (lambda pair: pair.say(MISTAKE), 1002),
    "a close of ours": (close, 4002),
    "the application returns": (lambda pair: pair.application.leaves.set(), 1011),
    "the server leaves": (lambda pair: pair.ours.shutdown(), 1012),
    "no pong": (lambda pair: pair.ours.keepalive_timeout(), 1011),
}


@pytest.mark.parametrize("end", ENDS)
async def test_whichever_way_it_ends_all_that_comes_is_whole_and_the_close_is_the_last(pair, end):
    act, code = ENDS[end]
    await until(lambda: pair.application.taken >= 100)

    act(pair)
    frames = await pair.frames_to_the_end()

    *events, last = [frame for frame in frames if frame != PONG]
    assert (last[0], int.from_bytes(last[2:4])) == (0x88, code)
    assert events == [EVENT] * pair.application.taken
    assert (pair.application.ended, pair.application.take) == (1, None)


async def test_a_late_pong_that_takes_the_room_again_is_written_out_before_anything_else(pair):
    ours, told = pair.ours, []
    ours.when_written(lambda: told.append(True))
    ours.pause_writing()
    ours._late_pong = PONG
    ours.transport.write = lambda frames: ours.pause_writing()

    ours.resume_writing()
    assert (told, ours._has_room) == ([], False)

    ours.resume_writing()
    assert (told, ours._has_room, ours._late_pong) == ([True], True, b"")


async def test_a_pong_that_goes_at_once_makes_a_late_one_needless(open_pair):
    pair = await open_pair()
    pair.ours._late_pong = b"\x8a\x03old"
    pair.say(PING)
    assert await pair.read() == PONG

    pair.ours.resume_writing()
    pair.say(GOODBYE)
    assert await pair.read() == b"\x88\x02\x03\xe8"


async def test_pongs_come_between_whole_frames(pair):
    pings, came = 30, b""
    for _ in range(pings):
        pair.say(PING)
        came += await pair.read()
    close(pair)
    frames = await pair.frames_to_the_end(came)

    assert frames.count(PONG) == pings
    assert frames.count(EVENT) == pair.application.taken == len(frames) - pings - 1
    assert EVENT in frames[frames.index(PONG) :], "the way went on behind them"


async def test_there_is_no_way_behind_a_close(open_pair):
    for act, _ in ENDS.values():
        pair = await open_pair()
        act(pair)
        await until(lambda: pair.ours.conn.state is not State.OPEN)  # noqa: B023  it is called in this round alone
        assert not pair.application.go_straight()


async def test_abort_ends_it_at_once(pair):
    pair.ours.abort()

    assert (pair.application.ended, pair.application.take) == (1, None)
    assert not pair.application.go_straight()
    with pytest.raises(ConnectionResetError):
        while await pair.read():
            pass


@pytest.mark.parametrize("is_reset", [True, False])
async def test_a_client_that_vanishes_ends_it_and_nothing_of_it_is_kept(pair, is_reset):
    if is_reset:
        await until(lambda: pair.application.taken)  # what was not read makes the kernel answer with a reset
    else:
        pair.application.take = None
    pair.theirs.close()

    await until(lambda: pair.application.ended)
    assert pair.ours._end_straight is None, "it holds what wrote here"


async def test_a_part_that_the_kernel_took_and_the_rest_are_one_whole_and_the_way_is_over(open_pair):
    pair = await open_pair()
    application = pair.application
    assert application.go_straight()
    taken = whole = 0
    while taken == whole * len(BIG):
        taken += application.take(BIG)
        whole += 1
    assert 0 < len(BIG) * whole - taken < len(BIG), "the kernel took a part"

    assert not application.lane["write"](BIG[taken % len(BIG) :])
    assert application.ended == 1, "with the first byte that the transport keeps"
    assert not application.go_straight(), "that byte goes first"
    assert not application.lane["write"](EVENT)

    came = b""
    while not came.endswith(EVENT):
        came += await pair.read()
    assert came == BIG * whole + EVENT
    await until(application.go_straight)  # the client may have read it before the transport knows
    application.take(EVENT)
    assert await pair.read() == EVENT


async def test_what_somebody_else_writes_ends_it_if_the_transport_keeps_of_it(open_pair):
    pair = await open_pair()
    application = pair.application
    assert application.go_straight()
    await application.send({"type": "websocket.send", "text": "hello"})
    pair.say(PING)
    assert await pair.read(7) + await pair.read(2) == b"\x81\x05hello" + PONG
    assert (application.ended, application.take(EVENT)) == (0, len(EVENT)), "the kernel has taken both"

    await application.send({"type": "websocket.send", "bytes": BIG * 16})
    assert application.ended == 1
    assert not application.go_straight(), "that goes first"
    assert not application.lane["write"](EVENT)

    came = b""
    while not came.endswith(EVENT) or len(came) < len(BIG):
        came += await pair.read()
    assert came == EVENT + b"\x82\x7f" + (16 * len(BIG)).to_bytes(8, "big") + BIG * 16 + EVENT


@pytest.mark.parametrize("seed", range(5))
async def test_a_connection_goes_straight_and_around_and_its_client_sees_no_difference(open_pair, monkeypatch, seed):
    """The client reads now and then: events go straight, in part, by the transport, and wait."""
    monkeypatch.setattr(connection_module, "CLOSING_SECONDS", PATIENCE)
    by_chance, pair = random.Random(seed), await open_pair()
    connection = connection_to(pair)
    connection.go_live(0)
    came, straight, around = b"", 0, 0
    for number in range(1, 2001):
        is_straight = connection.take(b"") == 0
        straight, around = straight + is_straight, around + (not is_straight)
        offer(connection, number, size=by_chance.choice([0, 200, 20_000]))
        if by_chance.random() < 0.05:
            connection.control(protocol.PING)
        if by_chance.random() < 0.05:
            pair.say(PING)
        while connection.queued > by_chance.randrange(8):
            came += await pair.read(by_chance.choice([1000, 2**17]))
    while connection.queued:
        came += await pair.read(2**20)
    connection.close(Close.DRAIN, retry_after_ms=0)
    has_answered = False
    while data := await pair.read(2**20):
        came += data
        if not has_answered and DRAIN in came[-10_000:]:  # pongs may be behind it
            pair.say(GOODBYE)
            has_answered = True
    connection.gone()

    assert straight > 100, "of 2000"
    assert around > 10
    kinds = kinds_in(came)
    assert kinds[:1] + kinds[-2:] == ["synced", "goodbye", Close.DRAIN]
    assert [kind for kind in kinds if isinstance(kind, int)][:-1] == list(range(1, 2001))


def kinds_in(frames):
    """Return what frames are in short: an event's number, a close's code, the type of everything else."""
    kinds = []
    while frames:
        size = size_of_first(frames)
        frame, frames = frames[:size], frames[size:]
        if frame[0] == 0x88:
            kinds.append(int.from_bytes(frame[2:4]))
        elif frame != PONG:
            content = json.loads(text_in(frame))
            kinds.append(content.get("n") or content["type"])
    return kinds
