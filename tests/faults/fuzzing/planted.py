"""A target with a mistake in it: an input by chance hardly meets it, one that is led by the branches does."""

SEEDS = [b"hello"]
WORDS = [b"her!"]


def check(data: bytes) -> None:
    """Fail for an input that begins with one word, letter by letter."""
    for place, letter in enumerate(b"usher!"):
        if data[place : place + 1] != bytes([letter]):
            return
    raise LookupError("the planted mistake")
