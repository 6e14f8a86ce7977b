"""How big an experiment is: short ones run with all tests, long ones by themselves (``make faults``)."""

import os
import random
from dataclasses import dataclass
from typing import TypeVar

VARIABLE = "FAULTS"
SEED_VARIABLE = "FAULTS_SEED"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scale:
    """Short, to notice a breach at all, or long, to be believed when there is none."""

    is_long: bool

    def of(self, *, short: T, long: T) -> T:
        """Return a number as this scale has it."""
        return long if self.is_long else short


def scale_asked_for() -> Scale:
    """Return the scale that the environment asks for: short, unless it says otherwise."""
    asked = os.environ.get(VARIABLE, "short")
    if asked not in ("short", "long"):
        raise ValueError(f"{VARIABLE} is {asked!r}; expected short or long")
    return Scale(is_long=asked == "long")


def seed_asked_for() -> int:
    """Return the seed that the environment names, to repeat a run, or a new one."""
    given = os.environ.get(SEED_VARIABLE)
    return random.SystemRandom().randrange(2**32) if given is None else int(given)
