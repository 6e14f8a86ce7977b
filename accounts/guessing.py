"""
How often a password may be guessed: so many failures per account and address, per address, and per account in all.

Failures are rows, so that they count in every process and outlive a restart; there are no more of them than the limits
let happen. They are of no account, since an account that does not exist must be like one that does: what is kept is a
digest of the names that only this server can make, and it is kept no longer than it counts.

Whoever has logged in from an address before is not stopped by what others do from elsewhere: over the limit of an
account in all, the right password gets in from there. Nobody else learns that there is such an address, or such an
account: whatever comes is hashed, counted and refused alike. A success takes back one's own failures alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import attempts
from accounts.hashing import room
from accounts.models import FailedLogIn, Session
from accounts.refusals import TooManyFailures
from realtime.addresses import network_of
from realtime.limits import Rate, rate_of

NOBODY = UUID(int=0)
REMEMBERED_SESSIONS = 200
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Guess:
    """A password given for an account, from somewhere. ``user_id`` is None for an account that does not exist."""

    tenant: str | None
    username: str
    user_id: UUID | None
    address: str | None

    @property
    def account(self) -> str:
        """The account's digest."""
        return self._digest("accounts.guessing")

    @property
    def account_beyond(self) -> str:
        """The digest under which guesses beyond the limit of the account in all are counted."""
        return self._digest("accounts.guessing.beyond")

    @property
    def network(self) -> str:
        """What its address counts as."""
        return network_of(self.address)

    def _digest(self, salt: str) -> str:
        # Length first: no two pairs of names are spelt the same.
        tenant = "" if self.tenant is None else f"={self.tenant}"
        named = f"{len(tenant)}:{tenant}{self.username}".encode(errors="surrogatepass").hex()
        return salted_hmac(salt, named, algorithm="sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Count:
    """The failures of a guess's account from its address, and the seconds to wait where all of it are too many."""

    own: int
    wait: float


def is_right(guess: Guess, check: Callable[[], bool]) -> bool:
    """
    Return what ``check`` says of a guess's password, and count it if it is wrong.

    Raises ``TooManyLogIns`` where too many come, right or wrong; ``TooManyFailures``, without asking ``check`` where
    the address has failed too often, and after asking it where the account has; ``Busy`` where too many passwords are
    hashed already. ``check`` must take as long for an account that does not exist.
    """
    attempts.count(account=guess.account, network=guess.network)
    _count_or_refuse(guess)  # before a place is taken: refusals must stay cheap
    with room.place(guess.network):
        # Again, since others may have failed while this one waited: no more guesses are checked beyond a limit than
        # there are places, however many come at once.
        count = _count_or_refuse(guess)
        # Asked for before, and whatever the password: neither what is done nor what is said may depend on more than
        # whether the guess gets in.
        may_pass = not count.wait or _has_logged_in_from(guess)
        if not (check() and may_pass):
            _note_failure(guess, count)
            return False
    if count.own:
        FailedLogIn.objects.filter(account__in=_own_accounts(guess), network=guess.network).delete()
    return True


def forget_old() -> Iterator[int]:
    """
    Remove the failures that count no more, and yield how many at each step.

    By the database's clock: that of whichever server does it might be hours ahead, and let guesses begin anew for all.
    """
    longest = max(rate.seconds for rate in _rates())
    while True:
        old = FailedLogIn.objects.filter(at__lt=Now() - timedelta(seconds=longest)).order_by("at")
        removed, _ = FailedLogIn.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()
        yield removed
        if removed < AT_ONCE:
            return


def _note_failure(guess: Guess, count: _Count) -> None:
    """Count a guess that does not get in; raises ``TooManyFailures`` for one beyond the limit of its account in all."""
    # Beyond it guesses count for their address alone: it would never end for an owner who goes on trying otherwise.
    account = guess.account_beyond if count.wait else guess.account
    FailedLogIn.objects.create(account=account, network=guess.network, at=timezone.now())
    if count.wait:
        raise TooManyFailures(count.wait)


def _count_or_refuse(guess: Guess) -> _Count:
    """Return what counts against a guess; raises ``TooManyFailures`` where its address has failed too often."""
    now = timezone.now()
    of_both, of_account, of_address = _rates()
    since = now - timedelta(seconds=max(of_both.seconds, of_account.seconds))
    failures = FailedLogIn.objects.filter(account__in=_own_accounts(guess), at__gt=since)
    own = list(failures.filter(network=guess.network).values_list("at", flat=True))
    of_all = list(failures.filter(account=guess.account).values_list("at", flat=True))
    begun = now - timedelta(seconds=of_address.seconds)
    here = list(FailedLogIn.objects.filter(network=guess.network, at__gt=begun).values_list("at", flat=True))
    wait = _seconds_to_wait(of_all, of_account, now)
    refused = max(_seconds_to_wait(own, of_both, now), _seconds_to_wait(here, of_address, now))
    if refused:
        raise TooManyFailures(max(refused, wait))
    return _Count(own=len(own), wait=wait)


def _own_accounts(guess: Guess) -> tuple[str, str]:
    return guess.account, guess.account_beyond


def _seconds_to_wait(failures: Sequence[datetime], rate: Rate, now: datetime) -> float:
    window = timedelta(seconds=rate.seconds)
    counting = sorted(at for at in failures if at > now - window)
    if len(counting) < rate.most:
        return 0
    return max(1.0, (counting[-rate.most] + window - now).total_seconds())


def _has_logged_in_from(guess: Guess) -> bool:
    sessions = Session.objects.filter(user_id=guess.user_id or NOBODY).order_by("-created_at")
    addresses = sessions.values_list("address", flat=True)[:REMEMBERED_SESSIONS]
    return any(network_of(address) == guess.network for address in addresses)


def _rates() -> tuple[Rate, Rate, Rate]:
    usher = settings.USHER
    return (
        rate_of(usher.failed_logins_per_account_and_address),
        rate_of(usher.failed_logins_per_account),
        rate_of(usher.failed_logins_per_address),
    )
