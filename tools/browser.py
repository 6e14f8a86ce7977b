"""The browser that the tests drive."""

import shutil
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = (
    "The tests need Chromium, and there is none; on Debian: sudo apt-get install chromium, elsewhere: "
    ".venv/bin/python -m playwright install chromium"
)


class NoBrowser(Exception):
    """There is none; the sentence says how to get one."""


def installed() -> str | None:
    """Return the program of a Chromium that the machine has, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def program(own: str) -> str:
    """Return the program of the machine's Chromium, else Playwright's ``own`` if that is there; or ``NoBrowser``."""
    found = installed() or own
    if not Path(found).exists():
        raise NoBrowser(REMEDY)
    return found
