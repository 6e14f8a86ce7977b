"""
How often one may ask: each address, each user, and what is created in a tenant. Counted in the memory of each process.

All requests of an address are counted before anything else is looked at, those of a user when it is known who asks,
creations when their body has been read: what is refused takes nothing from those who share a tenant.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import address_of
from accounts.models import User
from realtime.addresses import network_of
from realtime.limits import Frequency, rate_of

frequency = Frequency()


def seconds_until_allowed(request: HttpRequest) -> float:
    """Count a request of whatever kind, and return 0 if its address may make it, else the seconds to wait."""
    return _count("request", network_of(address_of(request)), settings.USHER.requests_per_address)


class Throttle(BaseThrottle):
    """A limit on the requests that come to a view."""

    _seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this request, and tell whether it may go on."""
        self._seconds = self.seconds_until_allowed(request, view)
        return not self._seconds

    def wait(self) -> float:
        """Return the seconds until it may."""
        return self._seconds

    def seconds_until_allowed(self, request: Request, view: Any) -> float:
        """Count this request, and return 0 if it may go on, else the seconds to wait."""
        raise NotImplementedError


class UserThrottle(Throttle):
    """All requests of a user, from wherever. Who is not known is counted by address alone."""

    def seconds_until_allowed(self, request: Request, view: Any) -> float:
        """Count this request for its user."""
        user = request.user
        return _count("user", user.pk, settings.USHER.requests_per_user) if isinstance(user, User) else 0


class SignupThrottle(Throttle):
    """Public sign-ups of an address, to whichever tenant."""

    def seconds_until_allowed(self, request: Request, view: Any) -> float:
        """Count this request for its address."""
        return _count("sign-up", network_of(address_of(request)), settings.USHER.signup_rate)


@contextmanager
def creation_in(tenant_id: int, *, by: Literal["staff", "sign-up"]) -> Iterator[None]:
    """
    Count what the body creates for its tenant; raises ``Throttled`` before it. What is refused does not count.

    Staff and sign-ups count apart, so that no crowd holds up the staff.
    """
    rate = rate_of(settings.USHER.creations_per_tenant)
    with frequency.counted(("creation", by, tenant_id), rate) as seconds:
        if seconds:
            raise Throttled(seconds)
        yield


def _count(scope: str, key: Hashable, rate: str) -> float:
    return frequency.seconds_until_allowed((scope, key), rate_of(rate))
