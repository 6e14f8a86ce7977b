"""Grants on a single user, given and taken away after its creation."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import grants, roles
from accounts.api.openapi import problems
from accounts.api.pagination import PARAMETERS, body_of, cursor_of, read_page
from accounts.api.permissions import TenantView, uuid_of
from accounts.api.problems import NotFound
from accounts.api.serializers import GrantBody, GrantPageBody, NewGrantBody, view_of_grant
from accounts.api.strict import validated
from accounts.models import Role, User
from accounts.permissions import MANAGE_GRANTS


class GrantView(TenantView):
    """What the views of grants share."""

    def subject(self, user_id: str) -> User:
        """Return the user that the grants are on, if the caller may see it and manage grants."""
        user, _ = self.visible_user(user_id)
        self.require(MANAGE_GRANTS)
        return user


class GrantListView(GrantView):
    """The grants on a user."""

    @extend_schema(
        operation_id="users_grants_list",
        summary="List the grants on a user, newest first",
        description="Needs manage_grants. Grants held by users whom the caller may not see are not listed.",
        parameters=PARAMETERS,
        responses={200: GrantPageBody, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return a page of the grants on a user."""
        with self.one_moment():
            lists = [given.filter for given in grants.grants_of(self.subject(user_id), seen_by=self.viewer)]
            page = read_page(cursor_of(request), lists, known=lists)
            return Response(body_of(request, page, [view_of_grant(grant) for grant in page.rows]))

    @extend_schema(
        operation_id="users_grants_create",
        summary="Give a permission on a user",
        description="Needs manage_grants and, on this user, the very permission. A grant there already is returned.",
        request=NewGrantBody,
        responses={201: GrantBody, **problems(400, 401, 403, 404, 503)},
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Give a role, or another user, a permission on a user."""
        subject = self.subject(user_id)
        wanted = validated(NewGrantBody, request)
        receiver: Role | User
        if "role" in wanted:
            receiver = roles.role_named(self.viewer.tenant_id, wanted["role"])
        else:
            receiver, _ = self.visible_user(str(wanted["user"]))
        grant = grants.give_grant(subject=subject, permission=wanted["permission"], to=receiver, given_by=self.viewer)
        return Response(view_of_grant(grant), status=201)


class GrantDetailView(GrantView):
    """One grant on a user."""

    @extend_schema(
        operation_id="users_grants_destroy",
        summary="Take a grant away",
        description="Needs manage_grants.",
        responses={204: None, **problems(401, 403, 404, 503)},
    )
    def delete(self, request: Request, user_id: str, grant_id: str) -> Response:
        """Take away a grant that the caller sees."""
        subject = self.subject(user_id)
        identity = uuid_of(grant_id)
        grant = identity and grants.grant_by_id(subject, identity, seen_by=self.viewer)
        if not grant:
            raise NotFound
        grants.take_grant(grant, taken_by=self.viewer)
        return Response(status=204)
