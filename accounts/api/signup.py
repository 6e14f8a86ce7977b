"""Joining a tenant by oneself."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.acting import refuse_at_closed_doors
from accounts.addresses import address_of
from accounts.api.caller import agent_of
from accounts.api.idempotency import PARAMETER, created_once, is_keyed
from accounts.api.openapi import problems
from accounts.api.permissions import tenant_named
from accounts.api.public import PublicView
from accounts.api.serializers import NewcomerBody, SignupBody
from accounts.api.strict import validated
from accounts.api.throttles import SignupThrottle, creation_in
from accounts.idempotency import Once
from accounts.models import JoinedVia, User
from accounts.refusals import SignupClosed
from accounts.users import create_user


class SignupView(PublicView):
    """The one thing that anybody may do to a tenant, where its policy is open."""

    throttle_classes = [SignupThrottle]

    @extend_schema(
        summary="Sign up",
        description="Open to everybody where the tenant's sign-up policy is open. A taken name is 409.",
        parameters=[PARAMETER],
        request=SignupBody,
        responses={201: NewcomerBody, **problems(400, 403, 404, 409, 410, 422, 429, 503)},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Create a user, without a role, in the tenant of that slug."""
        tenant = tenant_named(slug)
        try:
            refuse_at_closed_doors(tenant)  # before the body, which closed doors need not read
        except SignupClosed:
            if not is_keyed(request):  # who was let in before they closed, and asks again, is to learn so
                raise
        fields = {name: value for name, value in validated(SignupBody, request).items() if value is not None}
        via: dict[str, Any] = {
            "joined_via": JoinedVia.SIGNUP,
            "address": address_of(request),
            "agent": agent_of(request),
        }

        def show(user: User) -> dict[str, Any]:
            return dict(NewcomerBody({"id": user.pk, "username": user.username, "tenant": tenant.slug}).data)

        def create(once: Once | None) -> dict[str, Any]:
            with creation_in(tenant.pk, by="sign-up"):
                return show(create_user(tenant=tenant, once=once, **via, **fields))

        return created_once(
            request,
            tenant_id=tenant.pk,
            # Nobody knows who calls. With the name in it, whoever guesses a key learns by it no more than without:
            # that a name is taken.
            caller=f"sign-up:{fields['username']}",
            create=create,
            find=lambda user_id: User.objects.filter(pk=user_id, tenant=tenant).first(),
            show=show,
        )
