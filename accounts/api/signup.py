"""Joining a tenant by oneself."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.caller import address_of, agent_of
from accounts.api.openapi import problems
from accounts.api.permissions import tenant_named
from accounts.api.public import PublicView
from accounts.api.serializers import NewcomerBody, SignupBody
from accounts.api.strict import validated
from accounts.api.throttles import SignupThrottle
from accounts.models import JoinedVia
from accounts.users import create_user, refuse_at_closed_doors


class SignupView(PublicView):
    """The one thing that anybody may do to a tenant, where its policy is open."""

    throttle_classes = [SignupThrottle]

    @extend_schema(
        summary="Sign up",
        description="Open to everybody where the tenant's sign-up policy is open. A taken name is 409.",
        request=SignupBody,
        responses={201: NewcomerBody, **problems(400, 403, 404, 409, 429, 503)},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Create a user, without a role, in the tenant of that slug."""
        tenant = tenant_named(slug)
        refuse_at_closed_doors(tenant)  # before the body, which closed doors need not read
        fields = {name: value for name, value in validated(SignupBody, request).items() if value is not None}
        user = create_user(
            tenant=tenant,
            joined_via=JoinedVia.SIGNUP,
            address=address_of(request),
            agent=agent_of(request),
            **fields,
        )
        answer = {"id": user.pk, "username": user.username, "tenant": tenant.slug}
        return Response(NewcomerBody(answer).data, status=201)
