"""Events that are older than they are: their ids are given an earlier time."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from realtime.models import Event

TIME_BITS = 80
"""How many bits of a UUIDv7 come after its time."""


def id_of(moment: datetime) -> UUID:
    """Return a fresh UUIDv7 of a moment."""
    rest = secrets.randbits(TIME_BITS) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return UUID(int=int(moment.timestamp() * 1000) << TIME_BITS | rest)


def age(tenant_id: int, positions: range, ago: timedelta) -> list[UUID]:
    """Have the events at these positions be so old, and return their new ids, in order."""
    moment = datetime.now(UTC) - ago
    events = Event.objects.filter(tenant_id=tenant_id, position__in=positions).order_by("position")
    identities = []
    for number, (pk, *_) in enumerate(list(events.values_list("pk"))):
        identities.append(id_of(moment + timedelta(milliseconds=number)))
        Event.objects.filter(pk=pk).update(id=identities[-1])
    return identities
