"""What goes in and out of the views of users, grants and tenants, and how a user looks to somebody."""

from collections.abc import Set
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.api.auth_bodies import LONGEST_PASSWORD
from accounts.api.strict import Flag, StrictSerializer, Text, Whole
from accounts.creation import snapshot_of
from accounts.grants import Grant
from accounts.kinds import USER_CREATED
from accounts.models import JoinedVia, User, UserGrantToUser
from accounts.names import LONGEST
from accounts.permissions import ON_USERS
from realtime.projection import view_of, visible_set
from tenants.models import LEAST_RETENTION_DAYS, MOST_RETENTION_DAYS, SignupPolicy, Tenant, slug_rule


class SignupBody(StrictSerializer):
    """Somebody who joins by himself. An optional field may be null."""

    username = Text(max_length=LONGEST)
    password = Text(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    email = Text(required=False, allow_null=True, allow_blank=True, max_length=254)
    full_name = Text(required=False, allow_null=True, allow_blank=True, max_length=200)
    phone = Text(required=False, allow_null=True, allow_blank=True, max_length=40)


class NewUserBody(SignupBody):
    """Somebody whom staff add. Without a password he cannot log in; without a role he is a member."""

    password = Text(required=False, allow_null=True, max_length=LONGEST_PASSWORD, trim_whitespace=False)
    role = Text(required=False, allow_null=True, max_length=50)


class UserChangeBody(StrictSerializer):
    """What staff may change of a user; what is left out stays. A role of null makes it a member."""

    is_active = Flag(required=False)
    role = Text(required=False, allow_null=True, max_length=50)


class UserBody(serializers.Serializer[Any]):
    """A user as the caller may see it: hidden fields are absent and named in ``redacted``; visible, empty ones null."""

    id = serializers.UUIDField(required=False)
    username = serializers.CharField(required=False)
    full_name = serializers.CharField(required=False, allow_null=True)
    joined_via = serializers.ChoiceField(JoinedVia.choices, required=False)
    joined_at = serializers.DateTimeField(required=False)
    email = serializers.CharField(required=False, allow_null=True)
    phone = serializers.CharField(required=False, allow_null=True)
    address = serializers.CharField(required=False, allow_null=True)
    agent = serializers.CharField(required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False, help_text="For holders of manage_users.")
    role = serializers.CharField(required=False, allow_null=True, help_text="For holders of manage_users.")
    redacted = serializers.ListField(child=serializers.CharField())


class UserPageBody(serializers.Serializer[Any]):
    """A page of users, newest first."""

    results = UserBody(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class NewcomerBody(serializers.Serializer[Any]):
    """What somebody who has just joined is told: under which name to log in."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    tenant = serializers.CharField()


class NewGrantBody(StrictSerializer):
    """A permission on the user at hand, for a role or for another user of the same tenant."""

    permission = serializers.ChoiceField(ON_USERS)
    role = Text(required=False, max_length=50)
    user = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the fields; raises ``ValidationError`` unless they name one receiver."""
        if ("role" in attrs) == ("user" in attrs):
            raise serializers.ValidationError({"role": ["expected either role or user, and not both."]})
        return attrs


class GrantBody(serializers.Serializer[Any]):
    """A grant on a user, of a role or of another user."""

    id = serializers.UUIDField()
    permission = serializers.ChoiceField(ON_USERS)
    role = serializers.CharField(required=False)
    user = serializers.UUIDField(required=False)


class GrantPageBody(serializers.Serializer[Any]):
    """A page of grants, newest first."""

    results = GrantBody(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class NewTenantBody(StrictSerializer):
    """A tenant to be."""

    slug = Text(max_length=63, validators=[slug_rule])
    name = Text(max_length=200)
    signup_policy = serializers.ChoiceField(SignupPolicy.choices, default=SignupPolicy.CLOSED.value)


class TenantChangeBody(StrictSerializer):
    """What operators may change of a tenant; what is left out stays."""

    is_active = Flag(required=False)
    signup_policy = serializers.ChoiceField(SignupPolicy.choices, required=False)
    retention_days = Whole(min_value=LEAST_RETENTION_DAYS, max_value=MOST_RETENTION_DAYS, required=False)


class TenantBody(serializers.Serializer[Any]):
    """A tenant as operators see it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    signup_policy = serializers.ChoiceField(SignupPolicy.choices)
    retention_days = serializers.IntegerField()


def view_of_user(user: User, held: Set[str]) -> dict[str, Any]:
    """Return a user as it looks to a holder of these permissions on it; nothing but hidden names without view_user."""
    data, redacted = view_of(USER_CREATED, snapshot_of(user), visible_set(USER_CREATED, held))
    return {**data, "redacted": redacted}


def view_for_managers(user: User, held: Set[str], role: str | None) -> dict[str, Any]:
    """Return the same with what holders of manage_users see besides, where they see the user at all."""
    view = view_of_user(user, held)
    return {**view, "is_active": user.is_active, "role": role} if USER_CREATED.hear in held else view


def view_of_grant(grant: Grant) -> dict[str, Any]:
    """Return a grant as its listing shows it."""
    receiver: dict[str, UUID | str] = (
        {"user": grant.user_id} if isinstance(grant, UserGrantToUser) else {"role": grant.group.role.name}
    )
    return {"id": grant.pk, "permission": grant.permission.codename, **receiver}


def view_of_tenant(tenant: Tenant) -> dict[str, Any]:
    """Return a tenant as operators see it."""
    return dict(TenantBody(tenant).data)
