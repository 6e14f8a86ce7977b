"""What accounts keeps clean: the server's housekeeping does it now and then."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import guessing, idempotency
from accounts.models import Session
from realtime.chores import Chore, register

SESSIONS_KEPT = timedelta(days=30)
"""How long the row of a session stays when the session is over, for whoever asks what has happened."""
STEP = 500


def register_all() -> None:
    """Have these done from now on."""
    register(Chore("sessions", forget_old_sessions))
    register(Chore("idempotency keys", idempotency.forget_old))
    register(Chore("failed log-ins", guessing.forget_old))


def forget_old_sessions() -> Iterator[int]:
    """
    Remove sessions that ended or expired 30 days ago, in steps; yields how many each has removed.

    Whoever shows a token of one is told what he was told before: it has ended.
    """
    removed = STEP
    while removed == STEP:
        with transaction.atomic():
            long_ago = Now() - SESSIONS_KEPT
            over = Session.objects.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago))
            # Rows that somebody else is at are left for the next round: two that wait for each other's would fail.
            ids = list(over.select_for_update(skip_locked=True).values_list("pk", flat=True)[:STEP])
            Session.objects.filter(pk__in=ids).delete()
        removed = len(ids)
        yield removed
