"""The environment of the tests, which Django must find when it reads its settings."""

import os
import secrets

import django

OWN = {"DATABASE_URL", "REDIS_URL", "HOST", "PORT"}
PREFIX = "USHER_"


def without_ours() -> dict[str, str]:
    """Return this process's environment without the product's own variables: nothing of a developer's settings."""
    return {name: value for name, value in os.environ.items() if name not in OWN and not name.startswith(PREFIX)}


def with_new_keys() -> dict[str, str]:
    """Return that environment with what the product cannot do without: keys, never used before, and no .env file."""
    return without_ours() | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "USHER_ENV_FILE": "",
        "USHER_SECRET_KEY": secrets.token_hex(32),
        "USHER_JWT_KEY": secrets.token_hex(32),
    }


def set_up_django() -> None:
    """
    Give this process the environment of the tests, and have Django read its settings there.

    One that runs a part of the tests for another has that one's, and has read its settings already: with new keys its
    servers would take no token that it makes itself.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        ours = with_new_keys()
        os.environ.clear()
        os.environ.update(ours)
    django.setup()
