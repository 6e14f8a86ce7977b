"""
What asyncio has for waiting, in less memory, and a wait that is none.

A server keeps a queue and an event for each connection, nearly always empty. asyncio's have four deques between them,
of 760 bytes each.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, NoReturn, TypeVar

Item = TypeVar("Item")


class Done(Coroutine[Any, Any, None]):
    """What has been done already: to be awaited, any number of times, by those who expect a coroutine."""

    __slots__ = ()

    def send(self, value: object) -> NoReturn:
        """End."""
        raise StopIteration

    def throw(self, *error: Any) -> NoReturn:
        """Raise what is thrown."""
        raise error[0]

    def close(self) -> None:
        """Do nothing: it has ended."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


DONE = Done()


class Signal:
    """An ``asyncio.Event`` that has a list of who waits only while somebody does."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Tell whether nobody has to wait."""
        return self._is_set

    def set(self) -> None:
        """Let go on whoever waits, and nobody wait from now on."""
        self._is_set = True
        waiting, self._waiting = self._waiting, None
        for future in waiting or ():
            if not future.done():
                future.set_result(None)

    def clear(self) -> None:
        """Have whoever comes from now on wait."""
        self._is_set = False

    async def wait(self) -> None:
        """Return when it is set."""
        if self._is_set:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(future)
        try:
            await future
        finally:
            if self._waiting is not None and future in self._waiting:
                self._waiting.remove(future)  # cancelled: it must not add up while nothing is set


class Mailbox(Generic[Item]):
    """An ``asyncio.Queue`` without a bound, as far as servers use it."""

    __slots__ = ("_came", "_items")

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._came = Signal()

    def empty(self) -> bool:
        """Tell whether there is nothing in it."""
        return not self._items

    def put_nowait(self, item: Item) -> None:
        """Put an item behind the others."""
        self._items.append(item)
        self._came.set()

    async def get(self) -> Item:
        """Return the first item, once there is one."""
        while not self._items:
            self._came.clear()
            await self._came.wait()
        return self._items.pop(0)
