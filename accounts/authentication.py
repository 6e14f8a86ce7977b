"""
Who is calling: passwords for log-in and the Django admin, tokens for the API.

Django's ModelBackend is not used anywhere: it asks for the one user of a name, and names are unique per tenant only.
"""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.acting import refuse_if_closed
from accounts.addresses import address_of
from accounts.guessing import Guess, is_right
from accounts.models import User
from accounts.names import normalise_username
from accounts.people import user_behind
from accounts.refusals import SessionEnded, TokenInUrl
from realtime import ports
from realtime.handshake import is_token_in_url
from realtime.ports import Standing, TokenRefused
from tenants.models import slug_rule

CHALLENGE = 'Bearer realm="usher"'
"""What a 401 asks for (RFC 6750 §3)."""


class TenantBackend(BaseBackend):
    """Users of tenants, who name their tenant. They have no cookie sessions."""

    def authenticate(  # type: ignore[override]  # the credentials' names are what Django chooses a backend by
        self, request: HttpRequest | None, *, tenant: str, username: str, password: str
    ) -> User | None:
        """Return the active user of these credentials, or None after the same work for every kind of no."""
        try:
            slug_rule(tenant)
        except ValidationError:
            users = User.objects.none()  # not even asked for: the database refuses some strings with an error
        else:
            users = User.objects.filter(tenant__slug=tenant)
        return _checked(request, users, tenant, username, password)


class OperatorBackend(BaseBackend):
    """
    Operators, who are of no tenant. Only they have cookie sessions, those of the admin.

    Model permissions are not looked at: the admin is for every operator who is staff, and asks ``accounts.admin``.
    """

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, *, username: str, password: str
    ) -> User | None:
        """Return the active operator of these credentials, or None."""
        return _checked(request, User.objects.filter(tenant=None), None, username, password)

    def get_user(self, user_id: Any) -> User | None:
        """Return the active operator behind a cookie session, or None."""
        user: User | None = User.objects.filter(pk=user_id, tenant=None, is_active=True).first()
        return user


def _checked(
    request: HttpRequest | None, users: QuerySet[User], tenant: str | None, username: str, password: str
) -> User | None:
    """Return the active user of these credentials, or None; raises ``TooManyLogIns``, ``TooManyFailures``, ``Busy``."""
    try:
        username = normalise_username(username)
        user = users.filter(username=username).first()
    except ValueError:
        user = None  # nobody can have such a name

    def check() -> bool:
        if user is None:
            make_password(password)  # as long as a check takes: the answer's time must not tell which names exist
            return False
        return user.check_password(password) and user.is_active

    address = None if request is None else address_of(request)
    user_id = None if user is None else user.pk
    guess = Guess(tenant=tenant, username=username, user_id=user_id, address=address)
    return user if is_right(guess, check) else None


class SessionTokenAuthentication(BaseAuthentication):
    """
    An access token in the Authorization header, and the session, user and tenant behind it as they are now.

    ``request.user`` is then the ``User`` as far as ``user_behind`` knows it, ``request.auth`` its ``Standing``.
    """

    def authenticate(self, request: Request) -> tuple[User, Standing] | None:
        """Return the caller, or None for one without a bearer token; raises refusals, or ``TokenRefused``."""
        refuse_token_in_url(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        claims = ports.tokens().read(token.strip())
        standing = ports.people().standings([claims.session_id]).get(claims.session_id)
        if standing is None:
            raise SessionEnded
        if standing.user_id != claims.user_id:
            raise TokenRefused("forged")
        refuse_if_closed(standing)
        return user_behind(standing), standing

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return CHALLENGE


def refuse_token_in_url(request: Request) -> None:
    """Raise ``TokenInUrl`` for a URL with something in it that looks like a token."""
    for name, values in request.query_params.lists():
        if any(is_token_in_url(name, value) for value in values):
            raise TokenInUrl
