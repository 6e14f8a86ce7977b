#!/usr/bin/env python
"""Usher's commands. ``manage.py help`` lists them."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import InvalidEnvironment

    try:
        execute_from_command_line(sys.argv)
    except InvalidEnvironment as error:
        # One list and status 1. A traceback would bury it, and show its reader nothing else.
        sys.exit(f"Usher cannot start with this environment:\n{error}")


if __name__ == "__main__":
    main()
