"""Sessions without HTTP, for tests of the services."""

from datetime import timedelta

from django.utils import timezone

from accounts import sessions
from accounts.models import Session, User
from accounts.tokens import Pair, read_refresh


def log_in(user: User) -> Pair:
    """Begin a session for a user."""
    return sessions.log_in(user, address="192.0.2.7", agent="test")


def session_of(pair: Pair) -> Session:
    """Return the session of a pair, as it is now."""
    return Session.objects.get(pk=read_refresh(pair.refresh).session_id)


def backdate_renewal(pair: Pair, seconds: float) -> None:
    """Have the latest renewal of a pair's session be so long ago."""
    renewed_at = timezone.now() - timedelta(seconds=seconds)
    Session.objects.filter(pk=session_of(pair).pk).update(refreshed_at=renewed_at)
