"""Make an operator of the platform."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.passwords import add_password_option, new_password
from accounts.management.telling import refusals_told
from accounts.users import create_operator


class Command(BaseCommand):
    help = "Create an operator: a person of the platform, in no tenant, who may use the admin. Asks for a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument("--full-name", default="")
        add_password_option(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        with refusals_told():
            operator = create_operator(
                username=options["username"],
                password=new_password(options["username"], from_stdin=options["password_stdin"]),
                email=options["email"],
                full_name=options["full_name"],
            )
        self.stdout.write(f"Created the operator {operator.username}.")
