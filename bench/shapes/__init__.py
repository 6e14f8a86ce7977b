"""What is measured: each shape asks one question, says how it is answered, and leaves rows."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.run import Run


@dataclass(frozen=True, slots=True)
class Shape:
    """A question, and how it is answered."""

    name: str
    question: str
    method: str
    measure: Callable[[Run], None]
    is_quick: bool = True
    """Whether a quick run has it too."""
