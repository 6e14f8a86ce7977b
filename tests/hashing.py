"""The product's password hasher at its least cost: hundreds of people log in here, and each log-in would take 0.1 s."""

from accounts.hashing import BoundedArgon2


class QuickArgon2(BoundedArgon2):
    """Argon2 as always, with a thousandth of the work."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
