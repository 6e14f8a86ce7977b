"""
What two runs may differ in although the same happened: ids, times, tokens, the server's address.

Each is replaced by its number in order of first appearance, so that one more of them, one less, or two in another order
still shows.
"""

import re
from collections.abc import Sequence

PATTERNS = {
    # In whole seconds: whether two log-ins fall into one is chance.
    "expiry": r'(?<="token_expires_at":")[^"]+',
    "token": r"\beyJ[\w-]+\.[\w-]+\.[\w-]+",
    "id": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "time": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "request": r"\b[0-9a-f]{32}\b",
    "server": r"127\.0\.0\.1:\d+",
    # So long a client is to wait; drawn at random for each.
    "spread": r'(?<="retry_after_ms":)[1-9]\d*',
}
VOLATILE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS.items()))


def normalised(transcript: Sequence[str]) -> list[str]:
    """Return a transcript with everything volatile numbered, each kind by itself, across all its lines."""
    seen: dict[str, dict[str, int]] = {name: {} for name in PATTERNS}

    def numbered(match: re.Match[str]) -> str:
        name = str(match.lastgroup)
        number = seen[name].setdefault(match[0], len(seen[name]) + 1)
        # What is chance says nothing by being equal to another.
        return f"<{name}>" if name in ("expiry", "spread") else f"<{name} {number}>"

    return [VOLATILE.sub(numbered, line) for line in transcript]
