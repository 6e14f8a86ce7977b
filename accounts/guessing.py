"""
How often a password may be guessed: so many failures per account and address, per address, and per account in all.

Failures are rows, so that they count in every process and outlive a restart; there are no more of them than the limits
let happen. They are of no account, since an account that does not exist must be like one that does: what is kept is a
digest of the names that only this server can make, and it is kept no longer than it counts.

Whoever has logged in from an address before is not stopped by what others do from elsewhere: the limit of an account in
all does not hold for him. A success takes back one's own failures alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

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
        # Length first: no two pairs of names are spelt the same.
        tenant = "" if self.tenant is None else f"={self.tenant}"
        named = f"{len(tenant)}:{tenant}{self.username}".encode(errors="surrogatepass").hex()
        return salted_hmac("accounts.guessing", named, algorithm="sha256").hexdigest()

    @property
    def network(self) -> str:
        """What its address counts as."""
        return network_of(self.address)


def is_right(guess: Guess, check: Callable[[], bool]) -> bool:
    """
    Return what ``check`` says of a guess's password, and count it if it is wrong.

    Raises ``TooManyFailures`` without asking ``check``, and ``Busy`` where too many passwords are hashed already.
    """
    _refuse_one_too_many(guess)  # before a place is taken: refusals must stay cheap
    with room.place():
        # Again, since others may have failed while this one waited: no more guesses are checked beyond a limit than
        # there are places, however many come at once.
        own_failures = _refuse_one_too_many(guess)
        if not check():
            FailedLogIn.objects.create(account=guess.account, network=guess.network, at=timezone.now())
            return False
    if own_failures:
        FailedLogIn.objects.filter(account=guess.account, network=guess.network).delete()
    return True


def forget_old() -> Iterator[int]:
    """Remove the failures that count no more, and yield how many at each step."""
    longest = max(rate.seconds for rate in _rates())
    while True:
        old = FailedLogIn.objects.filter(at__lt=timezone.now() - timedelta(seconds=longest)).order_by("at")
        removed, _ = FailedLogIn.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()
        yield removed
        if removed < AT_ONCE:
            return


def _refuse_one_too_many(guess: Guess) -> int:
    """Raise ``TooManyFailures``, or return how many failures of this account count for this address."""
    now = timezone.now()
    of_both, of_account, of_address = _rates()
    since = now - timedelta(seconds=max(of_both.seconds, of_account.seconds))
    failures = FailedLogIn.objects.filter(account=guess.account, at__gt=since).values_list("at", "network")
    elsewhere = [at for at, _ in failures]
    own = [at for at, network in failures if network == guess.network]
    begun = now - timedelta(seconds=of_address.seconds)
    here = FailedLogIn.objects.filter(network=guess.network, at__gt=begun).values_list("at", flat=True)
    wait = max(_seconds_to_wait(own, of_both, now), _seconds_to_wait(list(here), of_address, now))
    if not wait:
        wait = _seconds_to_wait(elsewhere, of_account, now)
        if wait and _has_logged_in_from(guess):
            wait = 0
    if wait:
        raise TooManyFailures(wait)
    return len(own)


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
