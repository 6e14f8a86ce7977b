"""The product's settings, but for the cost of a password's hash, which would be most of what the stories wait for."""

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
if os.environ.get("WITHOUT"):
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.stories.without.Without"]
