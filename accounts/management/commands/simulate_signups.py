"""Sign many people up, through the REST of a running server."""

from random import SystemRandom
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import demo
from accounts.management.numbers import positive, whole
from clients.terminal.rest import InvalidAddress, Rest
from clients.terminal.signups import Signups, Tally

SHOWN_FAILURES = 5


class Command(BaseCommand):
    help = "Sign people up at a steady pace, as the public would; waits when the server asks to."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="its slug; sign-up must be open there")
        parser.add_argument("--rate", type=positive, default=5.0, help="sign-ups a second (default: 5)")
        parser.add_argument("--count", type=whole, default=100, help="sign-ups in all (default: 100)")
        parser.add_argument("--url", default=demo.address_of(settings.USHER.host, settings.USHER.port))

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            rest = Rest(options["url"])
        except InvalidAddress as error:
            raise CommandError(str(error)) from None
        signups = Signups(rest, options["tenant"], SystemRandom(), self._tell)
        try:
            tally = signups.run(count=options["count"], rate=options["rate"])
        except KeyboardInterrupt:
            raise CommandError("stopped before the end") from None
        if tally.signed_up < tally.wanted:
            reasons = list(dict.fromkeys(tally.failures))[:SHOWN_FAILURES]
            raise CommandError("\n  ".join([f"{tally}:", *reasons]))
        self.stdout.write(self.style.SUCCESS(f"Done: {tally}"))

    def _tell(self, tally: Tally) -> None:
        self.stdout.write(str(tally))
        self.stdout.flush()
