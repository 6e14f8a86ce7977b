"""Make a user of a tenant."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.passwords import add_password_option, new_password
from accounts.management.telling import refusals_told, tenant_of_slug
from accounts.models import JoinedVia
from accounts.users import create_user


class Command(BaseCommand):
    help = "Create a user of a tenant; whoever watches the tenant hears of it at once. Asks for a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="its slug")
        parser.add_argument("username")
        parser.add_argument("--role", help="such as owner, admin or viewer; a member without one when not given")
        parser.add_argument("--email", default="")
        parser.add_argument("--full-name", default="")
        parser.add_argument("--phone", default="")
        parser.add_argument("--no-password", action="store_true", help="cannot log in until a password is set")
        add_password_option(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        with refusals_told():
            tenant = tenant_of_slug(options["tenant"])
            password = (
                None
                if options["no_password"]
                else new_password(options["username"], from_stdin=options["password_stdin"])
            )
            user = create_user(
                tenant=tenant,
                username=options["username"],
                role=options["role"],
                email=options["email"],
                full_name=options["full_name"],
                phone=options["phone"],
                password=password,
                joined_via=JoinedVia.COMMAND,
            )
        role = f"role {options['role']}" if options["role"] else "no role"
        self.stdout.write(f"Created {user.username} of {tenant.slug} with {role}.")
