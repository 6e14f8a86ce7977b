"""A loop whose clock jumps to the next timer as soon as there is nothing else to do: minutes pass in milliseconds."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class JumpingLoop(asyncio.SelectorEventLoop):
    """An ordinary loop, but for waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None) -> Any:
            ready = select(timeout if timeout is None else 0)
            if not ready and timeout:
                self.skipped += timeout
            return ready

        selector.select = jump

    def time(self) -> float:
        """Return this loop's idea of the time."""
        return super().time() + self.skipped

    def wall_clock(self) -> float:
        """Return the seconds since the epoch, by this loop."""
        return time.time() + self.skipped


def run(main: Callable[[JumpingLoop], Coroutine[Any, Any, Answer]]) -> Answer:
    """Run a coroutine function on a loop of its own, which it is given."""
    loop = JumpingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop))
