"""
How many sockets there may be: waiting without a token, and open, per address, user, tenant and process; and how fast
new ones may come. All of it is counted in this process, before the database is asked wherever that can be.

Whoever is over a limit of his address is told so before his socket is accepted and his token is looked at. The other
limits have close codes, which a client that gives its token by message can read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from realtime.admission import Refused
from realtime.connection import Identity
from realtime.handshake import Turned
from realtime.limits import Frequency, Place, Places, rate_of
from realtime.protocol import Close


class Doors:
    """The counts of one process. A network is what an address counts as, see ``addresses.network_of``."""

    def __init__(self) -> None:
        self._waiting = Places()
        self._open = Places()
        self._handshakes = Frequency()

    def knock(self, network: str) -> None:
        """Count a handshake, of whatever kind; raises ``Turned`` for one too many from this network."""
        rate = rate_of(settings.USHER.handshakes_per_address)
        wait = self._handshakes.seconds_until_allowed(("address", network), rate)
        if wait:
            status, code = Close.RATE.problem
            raise Turned(status, code, "too many handshakes from your address; wait", retry_after=wait)

    def knock_of(self, user_id: UUID) -> None:
        """Count a handshake with a token of a user, whatever becomes of it; raises ``Refused`` for one too many."""
        rate = rate_of(settings.USHER.handshakes_per_user)
        wait = self._handshakes.seconds_until_allowed(("user", user_id), rate)
        if wait:
            raise Refused(Close.RATE, retry_after_seconds=wait)

    def of_address(self, network: str) -> Place:
        """Return one of a network's places; it is refused with ``Turned``."""
        turned = Turned(429, "address_limit", "too many sockets are open from your address; close some")
        return self._open.place(("address", network), most=settings.USHER.sockets_per_address, refusal=turned)

    def of_process(self) -> Place:
        """Return one of this process's places; it is refused with ``Refused``."""
        return self._open.place("process", most=settings.USHER.sockets_per_process, refusal=Refused(Close.NODE_FULL))

    @contextmanager
    def of_who_waits(self, network: str) -> Iterator[None]:
        """Hold a place for a socket without a token while the body runs; raises ``Turned``."""
        turned = Turned(429, "too_many_waiting", "too many sockets wait without a token; try again soon")
        with (
            self._waiting.place("process", most=settings.USHER.waiting_per_process, refusal=turned),
            self._waiting.place(("address", network), most=settings.USHER.waiting_per_address, refusal=turned),
        ):
            yield

    def of_viewer(self, identity: Identity) -> tuple[Place, Place]:
        """Return a place of an admitted user, and one of his tenant; each is refused with ``Refused``."""
        user, tenant = ("user", identity.user_id), ("tenant", identity.tenant_id)
        return (
            self._open.place(user, most=settings.USHER.sockets_per_user, refusal=Refused(Close.USER_LIMIT)),
            self._open.place(tenant, most=settings.USHER.sockets_per_tenant, refusal=Refused(Close.TENANT_LIMIT)),
        )
