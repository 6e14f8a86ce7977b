"""Make the tenants and people of the demo."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import demo
from accounts.management.telling import refusals_told


class Command(BaseCommand):
    help = "Create the demo's tenants and people, as far as they are missing. Works with USHER_DEMO=1 only."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            with refusals_told():
                created = demo.load()
        except demo.DemoNotAllowed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Created {created} people of the demo." if created else "The demo's people are there.")
