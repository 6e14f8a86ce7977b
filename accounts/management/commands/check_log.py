"""``manage.py check_log``: whether every user of a tenant has exactly one event, and no log has holes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.log_check import violations


class Command(BaseCommand):
    """Print what the log should not allow, a line each; exits 1 if there is anything."""

    help = "Check that every user of a tenant has exactly one event, and that no tenant's log has holes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        found = violations()
        for sentence in found:
            self.stdout.write(sentence)
        if found:
            raise CommandError(f"check_log found {len(found)} of these; expected none")
        self.stdout.write("The log is whole: one creation for every user, and no holes.")
