"""The product's settings, but for the cost of a password's hash, which would be most of what the stories wait for."""

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
