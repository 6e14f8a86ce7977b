"""Make a tenant, with its roles and its owner."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.passwords import add_password_option, chosen_password, generated_password
from accounts.management.telling import refusals_told
from accounts.provisioning import create_tenant
from accounts.users import create_founder
from tenants.models import SignupPolicy


class Command(BaseCommand):
    help = (
        "Create a tenant and its owner. The owner's password is asked for; "
        "an empty answer, or no terminal to ask at, makes one up and shows it once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its name in addresses, such as acme")
        parser.add_argument("--name", default="", help="its name for people; the slug when not given")
        parser.add_argument("--owner", required=True, metavar="USERNAME")
        parser.add_argument("--email", default="", help="the owner's")
        parser.add_argument(
            "--signup",
            choices=SignupPolicy.values,
            default=SignupPolicy.CLOSED,
            help="who may join without being created by staff (default: closed, so nobody)",
        )
        add_password_option(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        password = chosen_password(options["owner"], from_stdin=options["password_stdin"])
        made_up = "" if password else generated_password()
        found = partial(
            create_tenant,
            slug=options["slug"],
            name=options["name"] or options["slug"],
            signup_policy=options["signup"],
        )
        with refusals_told():
            tenant, owner = create_founder(
                username=options["owner"], email=options["email"], password=password or made_up, found=found
            )
        self.stdout.write(f"Created the tenant {tenant.slug} (sign-up {tenant.signup_policy}), owner {owner.username}.")
        if made_up:
            self.stdout.write(f"The password of {owner.username}, shown this once: {made_up}")
