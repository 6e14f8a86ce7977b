"""Where a command gets a password from: never from its arguments, which every user of the machine can list."""

import getpass
import os
import secrets
import sys

from django.core.management.base import CommandError, CommandParser

VARIABLE = "USHER_PASSWORD"


def add_password_option(parser: CommandParser) -> None:
    """Let the command's password come from standard input."""
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help=f"read the password from standard input; otherwise {VARIABLE} has it, or you are asked",
    )


def given_password(*, from_stdin: bool) -> str | None:
    """Return the password from standard input or the environment, or None; raises ``CommandError`` for an empty one."""
    if not from_stdin:
        return os.environ.get(VARIABLE) or None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError("standard input is empty; expected the password as its first line")
    return password


def asked_password(username: str) -> str | None:
    """Ask at the terminal, and return None where there is none to ask at."""
    return getpass.getpass(f"Password of {username}: ") if sys.stdin.isatty() else None


def chosen_password(username: str, *, from_stdin: bool) -> str | None:
    """Return the password that a new person is to have, asking twice, or None; raises ``CommandError``."""
    password = given_password(from_stdin=from_stdin)
    if password is not None:
        return password
    password = asked_password(username)
    if password and password != asked_password(f"{username} (again)"):
        raise CommandError("the two passwords differ; nothing was created, try again")
    return password or None


def new_password(username: str, *, from_stdin: bool) -> str:
    """Return the password that a new person is to have; raises ``CommandError`` when there is none."""
    password = chosen_password(username, from_stdin=from_stdin)
    if password is None:
        raise CommandError(f"{username} has no password; expected one in {VARIABLE} or by --password-stdin")
    return password


def generated_password() -> str:
    """Return a password that nobody has chosen."""
    return secrets.token_urlsafe(15)
