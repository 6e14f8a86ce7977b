"""Give somebody a new password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.passwords import add_password_option, new_password
from accounts.management.telling import refusals_told, tenant_of_slug
from accounts.models import User
from accounts.names import normalise_username
from accounts.sessions import reset_password


class Command(BaseCommand):
    help = (
        "Give a user of a tenant, or an operator, a new password, and end all sessions that the old one had begun. "
        "(Django's changepassword knows no tenants, and fails where two people have the same name.)"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--tenant", help="its slug; an operator's password when not given")
        add_password_option(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        username, slug = options["username"], options["tenant"]
        with refusals_told():
            tenant = tenant_of_slug(slug) if slug else None
            user = User.objects.filter(tenant=tenant, username=_as_kept(username)).first()
            if user is None:
                there = f"at {slug}" if slug else "among the operators (--tenant names a tenant)"
                raise CommandError(f"the username is {username!r}; expected one that is there {there}")
            reset_password(user, new=new_password(username, from_stdin=options["password_stdin"]))
        self.stdout.write(f"{user.username} has a new password; all sessions have ended.")


def _as_kept(username: str) -> str | None:
    try:
        return normalise_username(username)
    except ValueError:
        return None  # nobody can have such a name
