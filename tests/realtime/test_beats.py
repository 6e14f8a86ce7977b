"""Timers that need not be exact: together where they can be, never early, and each by itself where one fails."""

import asyncio

import pytest

from realtime.beats import MOMENTS, Beats, beats_of_this_loop
from tests.realtime.clock import run


class Waiting:
    """Something that notes when it was due."""

    def __init__(self, loop, then=lambda: None):
        self._loop, self._then = loop, then
        self.due_at = None

    def beat(self):
        self.due_at = self._loop.time()
        self._then()


@pytest.mark.parametrize("seconds", [0.001, 0.3, 1.0, 10.0, 25.0, 300.0])
def test_nothing_is_due_early_and_all_of_it_soon_after(seconds):
    async def main(loop):
        beats, began = Beats(), loop.time()
        waiting = [Waiting(loop) for _ in range(100)]
        for part, each in enumerate(waiting):
            beats.put(each, seconds=seconds * (1 + part / 100))
        await asyncio.sleep(3 * seconds)
        return [each.due_at - began for each in waiting]

    waited = run(main)

    for part, each in enumerate(waited):
        wanted = seconds * (1 + part / 100)
        assert wanted <= each <= wanted * (1 + 1 / MOMENTS) + 0.05, "which is what making them may take"


def test_what_is_due_at_about_the_same_time_is_one_timer_of_the_loop(monkeypatch):
    async def main(loop):
        beats, timers, call_at = Beats(), [], loop.call_at
        monkeypatch.setattr(loop, "call_at", lambda *given, **more: timers.append(given) or call_at(*given, **more))
        waiting = [Waiting(loop) for _ in range(10_000)]
        for number, each in enumerate(waiting):
            beats.put(each, seconds=20 + 10 * number / 10_000)
        made = len(timers)
        await asyncio.sleep(31)
        return made, all(each.due_at for each in waiting)

    timers, all_were_due = run(main)

    assert timers <= 10 / 0.25 + 2
    assert all_were_due


def test_one_that_fails_keeps_no_other_from_being_due(caplog):
    async def main(loop):
        beats = Beats()

        def fail():
            raise RuntimeError("planted")

        waiting = [Waiting(loop, fail), Waiting(loop), Waiting(loop, fail)]
        for each in waiting:
            beats.put(each, seconds=1)
        await asyncio.sleep(2)
        return [each.due_at is not None for each in waiting]

    assert run(main) == [True, True, True]
    assert caplog.messages == ["something that was due failed"] * 2


def test_what_is_forgotten_is_never_due_and_may_be_so_by_another_that_is():
    async def main(loop):
        beats = Beats()
        pair = []
        for other in (1, 0):
            pair.append(Waiting(loop, lambda other=other: beats.remove(pair[other], moment=moments[other])))
        forgotten, kept = Waiting(loop), Waiting(loop)
        moments = [beats.put(each, seconds=1000) for each in pair]  # 8 s apart
        beats.remove(forgotten, moment=beats.put(forgotten, seconds=1000))
        beats.put(kept, seconds=1000)
        assert len(set(moments)) == 1
        await asyncio.sleep(1020)
        beats.remove(kept, moment=moments[0])  # long after it was due
        return forgotten.due_at, kept.due_at is not None, sum(each.due_at is not None for each in pair), beats._due

    assert run(main) == (None, True, 1, {})


def test_each_loop_has_its_own():
    async def main(loop):
        return beats_of_this_loop(), beats_of_this_loop()

    one, again = run(main)
    other, _ = run(main)

    assert one is again
    assert one is not other
