"""
What is to be kept clean. An app registers its chores when it is ready; housekeeping does them, and knows none by name.

    chores.register(Chore("idempotency keys", forget_old_keys))

where ``forget_old_keys`` removes at most some hundreds of rows, commits, yields how many they were, and goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chore:
    """
    Something that an app keeps clean.

    ``name`` is its own alone, of at most 50 characters, and stands in the log. ``clean()`` removes what is due, step by
    step: each removes a bounded number of rows in a short transaction of its own and yields how many they were. It may
    be ended after any step, and may run twice at once, though it seldom does.
    """

    name: str
    clean: Callable[[], Iterator[int]]


_chores: dict[str, Chore] = {}


def register(chore: Chore) -> None:
    """Have a chore done from now on; one of the same name is replaced."""
    _chores[chore.name] = chore


def registered() -> tuple[Chore, ...]:
    """Return all chores."""
    return tuple(_chores.values())
