"""One step of a coroutine: what ends at once costs nothing, what waits goes on in a task as if nothing had happened."""

import asyncio
from contextvars import ContextVar

import pytest

from realtime.sending import step

where = ContextVar("where", default="nowhere")


async def test_what_does_not_wait_has_ended_when_step_returns():
    done = []

    async def send():
        done.append("sent")

    assert step(send()) is None
    assert done == ["sent"]


async def test_many_awaits_that_do_not_suspend_are_one_step():
    async def inner():
        return 1

    async def send():
        for _ in range(100):
            await inner()

    assert step(send()) is None


async def test_what_fails_in_its_first_step_fails_here():
    async def send():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        step(send())


async def test_what_waits_goes_on_where_it_was():
    room = asyncio.Event()
    done = []

    async def send():
        done.append("begun")
        await room.wait()
        done.append("sent")

    rest = step(send())
    assert rest is not None
    assert done == ["begun"], "only the first step was run"

    task = asyncio.create_task(rest)
    room.set()
    await task

    assert done == ["begun", "sent"]


async def test_it_may_wait_many_times_and_for_anything():
    loop = asyncio.get_running_loop()
    done = []

    async def send():
        await asyncio.sleep(0)
        done.append("after a bare yield")
        future = loop.create_future()
        loop.call_soon(future.set_result, "an answer")
        done.append(await future)
        async with asyncio.timeout(60):
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        done.append("after a gather")

    await step(send())

    assert done == ["after a bare yield", "an answer", "after a gather"]


async def test_what_fails_later_fails_in_the_rest():
    async def send():
        await asyncio.sleep(0)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await step(send())


async def test_what_it_waits_for_may_fail_and_be_handled_inside():
    loop = asyncio.get_running_loop()
    done = []

    async def send():
        future = loop.create_future()
        loop.call_soon(future.set_exception, OSError("full"))
        try:
            await future
        except OSError as error:
            done.append(str(error))
        await asyncio.sleep(0)
        done.append("went on")

    await step(send())

    assert done == ["full", "went on"]


async def test_a_cancellation_belongs_to_the_coroutine():
    done = []

    async def send():
        try:
            await asyncio.Event().wait()
        finally:
            done.append("cleaned up")

    task = asyncio.create_task(step(send()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["cleaned up"]


async def test_a_coroutine_may_end_well_in_spite_of_a_cancellation():
    async def send():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    task = asyncio.create_task(step(send()))
    await asyncio.sleep(0)
    task.cancel()

    assert await task is None


async def test_cleaning_up_may_wait_too():
    done = []

    async def send():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    task = asyncio.create_task(step(send()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["cleaned up"]


async def test_the_first_step_is_of_the_caller_and_the_rest_of_the_task():
    seen = []

    async def send():
        seen.append(where.get())
        await asyncio.sleep(0)
        seen.append(where.get())

    where.set("in the hub")
    rest = step(send())
    where.set("in the task")
    await asyncio.create_task(rest)

    assert seen == ["in the hub", "in the task"]
