"""``manage.py prune_log``: let go, now, of the events that are older than their tenants keep them."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.management.telling import refusals_told, tenant_of_slug
from realtime import retention
from realtime.housekeeping import PAUSE_SECONDS
from tenants.models import Tenant


class Command(BaseCommand):
    """Prune the logs; says, for each tenant with anything to prune, how much it was."""

    help = "Remove events older than their tenant's retention, as the server does by itself every hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--tenant", metavar="SLUG", help="of this tenant alone")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        with refusals_told():
            tenants = Tenant.objects.all()
            if options["tenant"] is not None:
                tenants = tenants.filter(pk=tenant_of_slug(options["tenant"]).pk)
            found = 0
            for tenant, before in retention.bounds(tenants):
                if options["dry_run"]:
                    count, what = retention.prunable(tenant.pk, before), "would be removed"
                else:
                    count, what = self._pruned(tenant, before), "removed"
                if count:
                    self.stdout.write(f"{tenant.slug}: {count} events older than {tenant.retention_days} days {what}")
                found += count
        if not found:
            self.stdout.write("No event is older than its tenant keeps it.")

    def _pruned(self, tenant: Tenant, before: Any) -> int:
        removed = 0
        for count in retention.prune(tenant.pk, before):
            removed += count
            time.sleep(PAUSE_SECONDS)
        return removed
