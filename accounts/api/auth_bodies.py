"""What goes in and out of the views that log people in and out."""

from typing import Any

from rest_framework import serializers

from accounts.api.strict import StrictSerializer, Text
from accounts.models import Session
from accounts.tokens import LONGEST

LONGEST_NAME = 300
LONGEST_PASSWORD = 1024
"""Longer ones are refused unhashed: hashing takes time with length."""


class LogInBody(StrictSerializer):
    """Credentials; an operator, who is of no tenant, leaves ``tenant`` out."""

    tenant = Text(required=False, allow_null=True, max_length=LONGEST_NAME, help_text="The tenant's slug.")
    username = Text(max_length=LONGEST_NAME)
    password = Text(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class PairBody(serializers.Serializer[Any]):
    """An access token, the refresh token for the next pair, and for how many seconds the access token is good."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField()


class AccessBody(serializers.Serializer[Any]):
    """An access token, and for how many seconds it is good. The refresh token is in a cookie."""

    access = serializers.CharField()
    expires_in = serializers.IntegerField()


class RefreshBody(StrictSerializer):
    """The refresh token of the latest pair."""

    refresh = Text(max_length=LONGEST, trim_whitespace=False)


class PasswordBody(StrictSerializer):
    """The password until now and from now on."""

    current = Text(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    new = Text(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class SessionBody(serializers.Serializer[Any]):
    """A live session: one device that is logged in."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    refreshed_at = serializers.DateTimeField(help_text="When its tokens were last renewed.")
    expires_at = serializers.DateTimeField()
    address = serializers.CharField(allow_null=True)
    agent = serializers.CharField(allow_null=True)
    current = serializers.BooleanField(help_text="Whether it is the session of this very request.")


class UserSessionBody(SessionBody):
    """A live session of a user as staff see it: where it is from is absent and named in ``redacted`` if hidden."""

    address = serializers.CharField(allow_null=True, required=False)
    agent = serializers.CharField(allow_null=True, required=False)
    redacted = serializers.ListField(child=serializers.CharField())


class SessionListBody(serializers.Serializer[Any]):
    """A page of the caller's live sessions, newest first."""

    results = SessionBody(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class UserSessionListBody(SessionListBody):
    """A page of a user's live sessions, newest first."""

    results = UserSessionBody(many=True)


def view_of_session(session: Session, *, is_current: bool) -> dict[str, Any]:
    """Return a session as its own user sees it; ``is_current`` if it is the one behind the request."""
    return {
        "id": session.pk,
        "created_at": session.created_at,
        "refreshed_at": session.refreshed_at,
        "expires_at": session.expires_at,
        "address": session.address,
        "agent": session.agent or None,
        "current": is_current,
    }
