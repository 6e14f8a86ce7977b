"""Users on their way into the database: checked and hashed first, then inserted, one or many, in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, UNUSABLE_PASSWORD_SUFFIX_LENGTH
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from psycopg.errors import ForeignKeyViolation

from accounts.fields import refuse_invalid
from accounts.idempotency import Once
from accounts.models import Role, User
from accounts.names import normalise_username
from accounts.refusals import FieldsRefused, UnknownRole, UsernameTaken
from accounts.retries import ATTEMPTS, retried
from tenants.models import Tenant

CHECKED_FIELDS = frozenset({"full_name", "email", "phone", "joined_via", "address", "agent"})
NAME_CONSTRAINTS = ("username_per_tenant", "username_among_operators")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a new row will hold, its password hashed already, and the role that it begins with."""

    fields: dict[str, Any]
    first_role: Role | None

    def user(self) -> User:
        """Return a user that is not saved yet: a new one at each call, since one rolled back believes it is saved."""
        user = User(**self.fields)
        user.first_role = self.first_role
        return user


def checked(fields: dict[str, Any], *, password: str | None, first_role: Role | None = None) -> Checked:
    """
    Return a newcomer whose values are what a user may have; raises ``FieldsRefused`` naming every one that is not.

    Call it before the transaction: hashing takes long on purpose, and the tenant's log must not be locked meanwhile.
    """
    errors: dict[str, Sequence[str]] = {}
    try:
        fields = {**fields, "username": normalise_username(fields["username"])}
    except ValueError as error:
        errors["username"] = [str(error)]
    user = User(**fields)
    try:
        refuse_invalid(user, *(CHECKED_FIELDS & fields.keys()))
    except FieldsRefused as refusal:
        errors |= refusal.errors
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            errors["password"] = error.messages
    if errors:
        raise FieldsRefused(errors)
    if password is None:
        user.password = _none()
    else:
        user.set_password(password)
    return Checked({**fields, "password": user.password}, first_role)


def _none() -> str:
    """Return what no password has for its hash, each time another; as Django's own, which draws letter by letter."""
    return f"{UNUSABLE_PASSWORD_PREFIX}{token_urlsafe(UNUSABLE_PASSWORD_SUFFIX_LENGTH)}"


def insert(
    tenant: Tenant | None,
    newcomers: Sequence[Checked],
    *,
    once: Once | None = None,
    last: Callable[[Sequence[User]], object] | None = None,
) -> list[User]:
    """
    Insert newcomers of one tenant (or operators), with default grants and events; raises ``UsernameTaken``.

    ``once``: the key under which a single one is made; raises what its ``claim`` raises. ``last``: is called with them
    when nothing is left but the commit, and what it raises undoes everything. Raises ``UnknownRole`` for a role that
    was deleted since it was looked up; of one that was to receive default grants, and goes meanwhile, nothing is
    noticed.
    """
    attempts_left = 1 if connection.in_atomic_block else ATTEMPTS
    while True:
        attempts_left -= 1
        try:
            return _inserted(tenant, newcomers, once=once, last=last)
        except IntegrityError as error:
            if not _is_missing(error):
                raise
            _refuse_gone_roles(newcomers)
            if not attempts_left:
                raise


@retried
def _inserted(
    tenant: Tenant | None,
    newcomers: Sequence[Checked],
    *,
    once: Once | None,
    last: Callable[[Sequence[User]], object] | None,
) -> list[User]:
    users = [newcomer.user() for newcomer in newcomers]
    with _taken_names_told(tenant, users), transaction.atomic():
        if once is not None:
            once.claim(str(users[0].pk))
        User.objects.bulk_create(users)
        if last is not None:
            # Not first: the log's lock may have been waited for, and whoever took it before may have changed rights.
            last(users)
    return users


def _refuse_gone_roles(newcomers: Sequence[Checked]) -> None:
    for role in {newcomer.first_role for newcomer in newcomers if newcomer.first_role is not None}:
        if not Role.objects.filter(pk=role.pk).exists():
            known = Role.objects.filter(tenant_id=role.tenant_id).order_by("pk").values_list("name", flat=True)
            raise UnknownRole(role=role.name, known=list(known))


def _is_missing(error: IntegrityError) -> bool:
    """Tell whether something that a row names is not there (any more), which is found out at the commit."""
    return isinstance(error.__cause__, ForeignKeyViolation) or str(error) == "FOREIGN KEY constraint failed"


@contextmanager
def _taken_names_told(tenant: Tenant | None, users: Sequence[User]) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if not is_taken_name(error):
            raise
        names = [user.username for user in users]
        taken = User.objects.filter(tenant=tenant, username__in=names).values_list("username", flat=True).first()
        raise UsernameTaken(tenant=tenant.slug if tenant else None, username=taken or names[0]) from None


def is_taken_name(error: IntegrityError) -> bool:
    """Tell whether a row was refused for its username and for nothing else."""
    said = getattr(error.__cause__, "diag", None)
    if said is not None:  # PostgreSQL names the constraint, SQLite the columns or the index
        return said.constraint_name in NAME_CONSTRAINTS
    return str(error).startswith("UNIQUE constraint failed") and (
        "accounts_user.username" in str(error) or any(name in str(error) for name in NAME_CONSTRAINTS)
    )
