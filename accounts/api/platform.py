"""Tenants, for operators."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import provisioning
from accounts.api.caller import standing_of
from accounts.api.idempotency import PARAMETER, created_once
from accounts.api.openapi import problems
from accounts.api.permissions import PlatformView, tenant_named
from accounts.api.serializers import NewTenantBody, TenantBody, TenantChangeBody, view_of_tenant
from accounts.api.strict import validated
from tenants.models import Tenant


class PlatformTenantListView(PlatformView):
    """All tenants."""

    @extend_schema(
        operation_id="platform_tenants_create",
        summary="Create a tenant",
        description="For operators. It begins with the roles owner, admin and viewer, and without people.",
        parameters=[PARAMETER],
        request=NewTenantBody,
        responses={201: TenantBody, **problems(400, 401, 403, 409, 410, 422)},
    )
    def post(self, request: Request) -> Response:
        """Create a tenant with its first roles."""
        fields = validated(NewTenantBody, request)
        return created_once(
            request,
            tenant_id=None,
            caller=str(standing_of(request).user_id),
            create=lambda once: view_of_tenant(provisioning.create_tenant(**fields, once=once)),
            find=lambda slug: Tenant.objects.filter(slug=slug).first(),
            show=view_of_tenant,
        )


class PlatformTenantView(PlatformView):
    """One tenant."""

    @extend_schema(
        operation_id="platform_tenants_change",
        summary="Suspend or resume a tenant, or change its sign-up policy or retention",
        description="For operators.",
        request=TenantChangeBody,
        responses={200: TenantBody, **problems(400, 401, 403, 404)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change a tenant."""
        tenant = tenant_named(slug)
        changed = provisioning.change_tenant(tenant, **validated(TenantChangeBody, request))
        return Response(view_of_tenant(changed))
