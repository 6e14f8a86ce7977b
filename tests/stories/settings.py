"""
The product's settings, but for the cost of a password's hash, which would be most of what the stories wait for.

A server that is to be without a part, or on a disk that fills up, is told so by its environment.
"""

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS
from tests.stories import full_disk

PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
if os.environ.get("WITHOUT"):
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.stories.without.Without"]
full_disk.install_if_asked()
