"""Ids that the outside sees: UUIDv7, so that they sort by time without telling how many there are."""

import secrets
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from uuid import UUID

TIME_ORDERED, VARIANT = 7, 0b10
NANOSECONDS = 1_000_000
"""In a millisecond, which is what a UUIDv7 begins with."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered, 32 hex digits, by which its answer and the log name it."""


def new_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): the time to a quarter of a microsecond, then 62 random bits."""
    # Of the RFC's ways to keep ids of one millisecond in order (§6.2) this is the one without a counter. A counter, as
    # libraries have it, is one for the whole process: two ids that somebody sees would tell how many were made between
    # them, of users hidden from him and of other tenants.
    milliseconds, nanoseconds = divmod(time.time_ns(), NANOSECONDS)
    fraction = (nanoseconds << 12) // NANOSECONDS
    high = milliseconds << 16 | TIME_ORDERED << 12 | fraction
    return UUID(int=high << 64 | VARIANT << 62 | secrets.randbits(62))


def moment_of(identity: UUID) -> datetime | None:
    """Return the time inside a UUIDv7 (to the millisecond), or None if ``identity`` is no UUIDv7."""
    if identity.version != TIME_ORDERED:
        return None
    try:
        return datetime.fromtimestamp((identity.int >> 80) / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None  # 48 bits of milliseconds reach past the year 9999
