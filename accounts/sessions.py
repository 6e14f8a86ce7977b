"""
Sessions: one per log-in. Every service that begins, renews or ends one is here, and nowhere else.

What a new password ends that is saved past the services, ``accounts.endings`` ends.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from accounts.endings import PASSWORD_CHANGED, end, live_sessions
from accounts.guessing import Guess, is_right
from accounts.models import Session, User
from accounts.refusals import BadCredentials, NotAuthorised, SessionEnded, TenantSuspended, WeakPassword, WrongPassword
from accounts.retries import retried
from accounts.tokens import Pair, RefreshClaims, pair_of, read_refresh
from realtime.ports import TokenRefused

LIFETIME: timedelta = api_settings.REFRESH_TOKEN_LIFETIME
"""From log-in to the end, however often the session is renewed."""
REPEAT = timedelta(seconds=10)
"""How long after a renewal its refresh token may be shown again, by a client that never got the answer."""

LOGGED_OUT = "logged_out"
REPLACED = "replaced"
REFRESH_REUSED = "refresh_reused"
DEACTIVATED = "deactivated"
ENDED_BY_STAFF = "ended_by_staff"


@retried
def log_in(user: User, *, address: str | None, agent: str) -> Pair:
    """
    Begin a session for a user whose password has just been checked, and return its first pair.

    Raises ``BadCredentials`` if that password or the user has gone meanwhile, ``TenantSuspended``.
    """
    now = _now()
    with transaction.atomic():
        # A password change or deactivation at this very moment ends the sessions that it sees. The lock puts this one
        # before it, to be seen, or after it, to be refused.
        current = _locked(user)
        if current is None or not current.is_active or current.password != user.password:
            raise BadCredentials
        if current.tenant is not None and not current.tenant.is_active:
            raise TenantSuspended
        session = Session.objects.create(
            user=current,
            created_at=now,
            expires_at=now + LIFETIME,
            refresh_jti=str(uuid4()),
            refreshed_at=now,
            address=address,
            agent=agent,
        )
    return pair_of(session)


@retried
def refresh(token: str) -> Pair:
    """
    Return the next pair for a refresh token; from then on that token is used up.

    Shown again within 10 seconds it gives the same pair once more. A token older than the latest is in somebody
    else's hands as well: the session ends. Raises ``TokenRefused``, ``SessionEnded``, ``NotAuthorised`` for a
    deactivated user, ``TenantSuspended``.
    """
    claims = read_refresh(token)
    # Durable, and the refusal is raised after the commit: inside a transaction of a caller's it would take the end of
    # the session back.
    with transaction.atomic(durable=True):
        session = _renewed(claims)
    if session is None:
        raise SessionEnded
    return pair_of(session)


def _renewed(claims: RefreshClaims) -> Session | None:
    """Return the session with its latest pair's data, renewed where that is due, or None if reuse has ended it."""
    sessions = Session.objects.select_for_update(of=("self",)).select_related("user__tenant")
    session = sessions.filter(pk=claims.session_id).first()
    if session is None:
        raise SessionEnded
    if session.user_id != claims.user_id:
        raise TokenRefused("forged")
    _refuse_if_closed(session)
    now = _now()
    if claims.jti == session.refresh_jti:
        session.previous_jti, session.refresh_jti, session.refreshed_at = claims.jti, str(uuid4()), now
        session.save(update_fields=["previous_jti", "refresh_jti", "refreshed_at"])
        return session
    if claims.jti == session.previous_jti and now - session.refreshed_at <= REPEAT:
        return session
    end(Session.objects.filter(pk=session.pk), session.user, REFRESH_REUSED)
    return None


def _refuse_if_closed(session: Session) -> None:
    if not session.user.is_active:
        raise NotAuthorised("This user is deactivated.")
    if session.ended_at is not None or session.expires_at <= timezone.now():
        raise SessionEnded
    if session.user.tenant is not None and not session.user.tenant.is_active:
        raise TenantSuspended


def end_session(user: User, session_id: UUID, *, reason: str) -> bool:
    """End one session of a user; returns whether there was a live one of that id."""
    return end(live_sessions(user).filter(pk=session_id), user, reason) > 0


def end_session_of(token: str, *, reason: str) -> bool:
    """End the session of a refresh token, used up or not; returns whether it was live. Raises ``TokenRefused``."""
    claims = read_refresh(token)
    user = User.objects.filter(pk=claims.user_id).first()
    return user is not None and end_session(user, claims.session_id, reason=reason)


@retried
def end_all_sessions(user: User, *, reason: str, but: UUID | None = None) -> int:
    """End all live sessions of a user (``but`` one); returns how many there were."""
    with transaction.atomic():
        _locked(user)  # two that end the same sessions wait here, in order, and not for each other's rows
        ending = live_sessions(user) if but is None else live_sessions(user).exclude(pk=but)
        return end(ending, user, reason)


def change_password(user: User, *, current: str, new: str, session_id: UUID | None, address: str | None) -> None:
    """
    Change a user's password, and end all its sessions but the one that asks, which does so from ``address``.

    ``session_id`` is None for an operator in the admin, who has a cookie and no session of ours to be kept.
    Raises ``WrongPassword``, ``WeakPassword``, ``SessionEnded``; ``TooManyLogIns``, ``TooManyFailures`` and ``Busy`` as
    a log-in does.
    """
    # Hashing takes a good part of a second of CPU: never inside a transaction, where others wait for its locks.
    tenant = None if user.tenant is None else user.tenant.slug
    guess = Guess(tenant=tenant, username=user.username, user_id=user.pk, address=address)
    if not is_right(guess, lambda: user.check_password(current)):
        raise WrongPassword
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise WeakPassword(error.messages) from None
    _set_password(user, make_password(new), session_id)


def reset_password(user: User, *, new: str) -> None:
    """Give a user a password without asking for the old one, as who runs the house may; raises ``WeakPassword``."""
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise WeakPassword(error.messages) from None
    user.set_password(new)
    user.save(update_fields=["password"])  # which ends the user's sessions


@retried
def _set_password(user: User, hashed: str, session_id: UUID | None) -> None:
    with transaction.atomic():
        if not user.replace_hash(hashed):
            raise WrongPassword  # another change came first
        if session_id is not None and not live_sessions(user).filter(pk=session_id).exists():
            raise SessionEnded  # while this one was hashing
        end_all_sessions(user, reason=PASSWORD_CHANGED, but=session_id)
    user.password = hashed


def _locked(user: User) -> User | None:
    locked: User | None = (
        User.objects.select_for_update(of=("self",), no_key=True).select_related("tenant").filter(pk=user.pk).first()
    )
    return locked


def _now() -> datetime:
    """
    Return the time as the database has it: one for all servers, however their own clocks differ.

    By it tokens are minted, and a refresh token that is shown again is told from one that was stolen.
    """
    if connection.vendor != "postgresql":
        return timezone.now()  # SQLite has no clock of its own
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
