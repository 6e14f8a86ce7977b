"""Who the caller is, and what it may do."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import roles
from accounts.api.caller import standing_of, user_of
from accounts.api.openapi import problems
from accounts.refusals import SessionEnded
from realtime import rights
from tenants.models import Tenant


class OwnTenantBody(serializers.Serializer[Any]):
    """The tenant that somebody is of."""

    slug = serializers.CharField()
    name = serializers.CharField()


class MeBody(serializers.Serializer[Any]):
    """The caller. An operator has no tenant; whoever has no role is a member."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    tenant = OwnTenantBody(allow_null=True)
    role = serializers.CharField(allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField(), help_text="Those held on the own tenant.")


class MeView(APIView):
    """Oneself."""

    @extend_schema(summary="Tell who I am", responses={200: MeBody, **problems(401, 403, 503)})
    def get(self, request: Request) -> Response:
        """Return the caller, its tenant, role and permissions as they are now."""
        user = user_of(request)
        tenant = viewer = role = None
        if user.tenant_id is not None:
            tenant = Tenant.objects.filter(pk=user.tenant_id).first()
            if tenant is None:
                raise SessionEnded  # it went with its user, a moment ago
            viewer, role = rights.viewer_of(standing_of(request)), roles.role_of(user)
        answer = {
            "id": user.pk,
            "username": user.username,
            "tenant": tenant,
            "role": role.name if role is not None else None,
            "permissions": sorted(viewer.permissions) if viewer is not None else [],
        }
        return Response(MeBody(answer).data)
