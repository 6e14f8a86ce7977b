"""Watch a tenant from a terminal."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import demo
from accounts.management.numbers import whole
from accounts.management.passwords import VARIABLE, add_password_option, asked_password, given_password
from clients.terminal.login import LogIn, log_in
from clients.terminal.rest import InvalidAddress, Refused, Rest, Unreachable
from clients.terminal.screen import Lines, RawFrames
from clients.terminal.watcher import Watcher


class Command(BaseCommand):
    help = (
        "Show who signs up, as it happens: events on standard output, the state of the connection on standard error. "
        "Comes back by itself and misses nothing; Ctrl-C ends it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--username", required=True)
        parser.add_argument("--url", default=demo.address_of(settings.USHER.host, settings.USHER.port))
        parser.add_argument("--json", action="store_true", help="print every frame as it comes, one on a line")
        parser.add_argument("--count", type=whole, help="end after so many events")
        add_password_option(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            rest = Rest(options["url"])
            password = self._password(options["username"], from_stdin=options["password_stdin"])
            login = log_in(rest, tenant=options["tenant"], username=options["username"], password=password)
        except InvalidAddress as error:
            raise CommandError(str(error)) from None
        except Unreachable as error:
            raise CommandError(f"{error}; expected a running Usher there (`make run` starts one)") from None
        except Refused as error:
            raise CommandError(f"no log-in as {options['username']}: {error.detail}") from None
        self._watch(rest, login, is_raw=options["json"], count=options["count"])

    def _watch(self, rest: Rest, login: LogIn, *, is_raw: bool, count: int | None) -> None:
        screen = (RawFrames if is_raw else Lines)(sys.stdout, sys.stderr)
        try:
            closed = asyncio.run(Watcher(rest, login, screen, count=count).watch())
        except KeyboardInterrupt:
            screen.remark("stopped")
        except BrokenPipeError:
            # Whoever read our lines has seen enough. Python would complain when it flushes at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            # The screen has said why.
            if closed.is_failure:
                sys.exit(1)
        finally:
            with suppress(Refused, Unreachable):
                login.log_out()

    def _password(self, username: str, *, from_stdin: bool) -> str:
        password = given_password(from_stdin=from_stdin)
        if password is None and settings.USHER.demo:
            password = demo.PASSWORD
        password = password or asked_password(username)
        if not password:
            raise CommandError(f"{username} has no password; expected it in {VARIABLE} or by --password-stdin")
        return password
