"""The product's password hasher at its least cost: hundreds of people log in here, and each log-in would take 0.1 s."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Argon2 as always, with a thousandth of the work."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
