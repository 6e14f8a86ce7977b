"""The settings of a server that leaks: see tests/worlds/leaks.py."""

from tests.stories.settings import *  # noqa: F403
from tests.stories.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.worlds.leaks.Leaks"]
