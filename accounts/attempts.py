"""
How often one may log in, right or wrong: each account from an address, and each address. Counted in the memory of each
process, before the database is asked or a password is hashed: who knows a password could keep hashing busy otherwise.
"""

from django.conf import settings

from accounts.refusals import TooManyLogIns
from realtime.limits import Frequency, rate_of

frequency = Frequency()


def count(*, account: str, network: str) -> None:
    """Count a log-in to an account, by its digest, from a network; raises ``TooManyLogIns`` for one too many."""
    usher = settings.USHER
    # What an address may not do at all takes nothing from its accounts.
    wait = frequency.seconds_until_allowed(
        ("address", network), rate_of(usher.logins_per_address)
    ) or frequency.seconds_until_allowed(("account", account, network), rate_of(usher.logins_per_account_and_address))
    if wait:
        raise TooManyLogIns(wait)
