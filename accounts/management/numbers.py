"""Numbers in the arguments of a command."""

from argparse import ArgumentTypeError

LEAST = 0.001


def positive(text: str) -> float:
    """Read a number above 0, and not too near to it; what argparse shows otherwise is the sentence raised."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not LEAST <= number < float("inf"):
        raise ArgumentTypeError(f"it is {text!r}; expected a number of at least {LEAST}")
    return number


def whole(text: str) -> int:
    """Read a whole number above 0."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ArgumentTypeError(f"it is {text!r}; expected a whole number above 0")
    return int(text)
