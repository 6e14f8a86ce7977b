"""Ids that the outside sees: UUIDv7, so that they sort by time without telling how many there are."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

TIME_ORDERED = 7


def new_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562 §5.7)."""
    return uuid7()


def moment_of(identity: UUID) -> datetime | None:
    """Return the time inside a UUIDv7 (to the millisecond), or None if ``identity`` is no UUIDv7."""
    if identity.version != TIME_ORDERED:
        return None
    try:
        return datetime.fromtimestamp((identity.int >> 80) / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None  # 48 bits of milliseconds reach past the year 9999
