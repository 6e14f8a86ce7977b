"""How often one address may do what anybody may do; counted in each process for itself."""

import time
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.api.caller import address_of
from realtime.addresses import network_of

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FAILED_LOG_INS = "30/min"


class AddressThrottle(BaseThrottle):
    """So many requests per address in each window of time."""

    scope: ClassVar[str]

    def rate(self) -> str:
        """Return the rate, such as ``30/min``."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this request, and tell whether it is still within the rate."""
        return self._count(request, 1) <= self._most()

    def wait(self) -> float:
        """Return the seconds until the next window."""
        window = self._window()
        return window - time.time() % window

    def _count(self, request: Request, more: int) -> int:
        window = self._window()
        key = f"throttle:{self.scope}:{network_of(address_of(request))}:{int(time.time() // window)}"
        cache.add(key, 0, timeout=window + 1)
        try:
            return cache.incr(key, more)
        except ValueError:
            return more  # the cache has dropped it just now, being full

    def _most(self) -> int:
        return int(self.rate().partition("/")[0])

    def _window(self) -> int:
        return SECONDS[self.rate().partition("/")[2][0]]


class SignupThrottle(AddressThrottle):
    """Public sign-ups, at the rate that the environment gives."""

    scope = "signup"

    def rate(self) -> str:
        """Return the environment's rate."""
        rate: str = settings.USHER.signup_rate
        return rate


class FailedLogInThrottle(AddressThrottle):
    """Passwords that were wrong. Log-ins that succeed cost nothing, however many people share an address."""

    scope = "failed-log-in"

    def rate(self) -> str:
        """Return the rate."""
        return FAILED_LOG_INS

    def allow_request(self, request: Request, view: Any) -> bool:
        """Tell whether this address has failed seldom enough to try again; the view counts failures."""
        return self._count(request, 0) < self._most()

    def note_failure(self, request: Request) -> None:
        """Count a failure."""
        self._count(request, 1)
