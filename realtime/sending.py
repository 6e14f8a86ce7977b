"""Sending without waiting: a coroutine is run to its first suspension, and only what suspends costs a task."""

import types
from collections.abc import Coroutine, Generator
from typing import Any


def step(coroutine: Coroutine[Any, Any, None]) -> "Coroutine[Any, Any, None] | None":
    """
    Run a coroutine until it ends or waits; return None if it ended, else a coroutine that awaits the rest.

    Servers' ``send`` does not wait unless the transport is full, so the usual frame costs no task and no turn of the
    loop. What the coroutine raises in its first step is raised here.
    """
    try:
        waiting_for = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waiting_for)


async def _rest(coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> None:
    await _resume(coroutine, waiting_for)


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> Generator[Any, Any, None]:
    # The future is handed to the task just as the coroutine yielded it; the task wakes us when it is done.
    while True:
        try:
            value = yield waiting_for
        except BaseException as error:  # noqa: BLE001  a cancellation too belongs to the coroutine
            resume, argument = coroutine.throw, error
        else:
            resume, argument = coroutine.send, value  # type: ignore[assignment]
        try:
            waiting_for = resume(argument)
        except StopIteration:
            return
