"""The users of the caller's tenant: each as far as the caller may see it."""

import unicodedata
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.api.idempotency import PARAMETER, created_once
from accounts.api.openapi import problems
from accounts.api.pagination import PARAMETERS, body_of, cursor_of, read_page
from accounts.api.permissions import TenantView
from accounts.api.problems import Problem
from accounts.api.serializers import (
    NewUserBody,
    UserBody,
    UserChangeBody,
    UserPageBody,
    view_for_managers,
    view_of_user,
)
from accounts.api.strict import validated
from accounts.api.throttles import creation_in
from accounts.idempotency import Once
from accounts.kinds import USER_CREATED
from accounts.models import JoinedVia, User
from accounts.permissions import MANAGE_USERS, ON_TENANTS, VIEW_USER_CONTACT
from accounts.refusals import Refused
from accounts.users import change_user, create_user
from realtime import rights
from realtime.rights import Rows, Viewer

LONGEST_SEARCH = 200


class UserView(TenantView):
    """What the views of users share: how the caller sees one."""

    def seen(self, people: list[User]) -> list[dict[str, Any]]:
        """Return those of these users that the caller may see, as he may, in a constant number of queries."""
        held = rights.permissions_on(USER_CREATED, self.viewer, [user.pk for user in people])
        people = [user for user in people if USER_CREATED.hear in held[user.pk]]
        if MANAGE_USERS not in self.viewer.permissions:
            return [view_of_user(user, held[user.pk]) for user in people]
        named = roles.role_names_of(people)
        return [view_for_managers(user, held[user.pk], named.get(user.pk)) for user in people]

    def seen_one(self, user: User) -> dict[str, Any]:
        """Return a user as the caller sees it; for one that he may not see, only the names of what is hidden."""
        return next(iter(self.seen([user])), view_of_user(user, frozenset()))

    def newcomer(self, user: User, creator: Viewer) -> dict[str, Any]:
        """Return a user as its creator, who manages users, sees it in the transaction that creates it."""
        held = rights.grants_on(USER_CREATED.subject, [user.pk]).on(user.pk).of_viewer(creator)
        # Nobody else can have given it a role: nobody else sees it before the commit.
        role = None if user.first_role is None else roles.role_names_of([user]).get(user.pk)
        return view_for_managers(user, held, role)

    def as_it_is_now(self, user: User) -> dict[str, Any]:
        """Return a user that the caller has just written, as the caller sees it: not at all if he is shut out."""
        try:
            with self.one_moment():
                return self.seen_one(user)
        except Refused:  # perhaps by himself, by this very request: what was done is not to be answered as refused
            return view_of_user(user, frozenset())


class UserListView(UserView):
    """The users that the caller may see."""

    @extend_schema(
        operation_id="users_list",
        summary="List users, newest first",
        description="Open to holders of any permission on the tenant. Each row shows what the caller may see of it.",
        parameters=[
            OpenApiParameter("q", str, description="Part of a name, or of an e-mail or phone that the caller may see."),
            OpenApiParameter("joined_via", str, enum=JoinedVia.values),
            *PARAMETERS,
        ],
        responses={200: UserPageBody, **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Return a page of the users that the caller may see."""
        with self.one_moment():
            self.require(*ON_TENANTS)
            cursor, asked_for = cursor_of(request), self._asked_for(request)
            visible = rights.visible_in_parts(USER_CREATED, self.viewer)
            page = read_page(cursor, [_narrowed(part, asked_for) for part in visible], known=visible)
            return Response(body_of(request, page, self.seen(page.rows)))

    @extend_schema(
        operation_id="users_create",
        summary="Create a user",
        description=(
            "Needs manage_users; the role must give nothing that the caller does not hold. The answer shows the new "
            "user as the caller may see it: to a creator who may not see it, nothing but the names of hidden fields."
        ),
        parameters=[PARAMETER],
        request=NewUserBody,
        responses={201: UserBody, **problems(400, 401, 403, 409, 410, 422, 503)},
    )
    def post(self, request: Request) -> Response:
        """Create a user in the caller's tenant."""
        self.require(MANAGE_USERS)
        fields = {name: value for name, value in validated(NewUserBody, request).items() if value is not None}
        tenant = self.tenant

        def create(once: Once | None) -> dict[str, Any]:
            seen: dict[str, Any] = {}

            def witness(user: User, creator: Viewer) -> None:
                nonlocal seen
                seen = self.newcomer(user, creator)

            with creation_in(tenant.pk, by="staff"):
                create_user(
                    tenant=tenant,
                    joined_via=JoinedVia.API,
                    created_by=self.viewer,
                    once=once,
                    witness=witness,
                    **fields,
                )
            return seen

        return created_once(
            request,
            tenant_id=tenant.pk,
            caller=str(self.viewer.user_id),
            create=create,
            find=lambda user_id: User.objects.filter(pk=user_id, tenant=tenant).first(),
            show=self.as_it_is_now,
        )

    def _asked_for(self, request: Request) -> Q:
        wanted = Q()
        path = request.query_params.get("joined_via")
        if path is not None:
            if path not in JoinedVia.values:
                expected = ", ".join(JoinedVia.values)
                raise Problem(f"joined_via is {path[:40]!r}; expected one of {expected}.", code="bad_filter")
            wanted = Q(joined_via=path)
        text = request.query_params.get("q", "").strip()
        if len(text) > LONGEST_SEARCH or any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
            expected = f"at most {LONGEST_SEARCH} characters, none of them control characters"
            raise Problem(f"q is {text[:40]!r}; expected {expected}.", code="bad_filter")
        return wanted & self._containing(text) if text else wanted

    def _containing(self, text: str) -> Q:
        in_names = Q(username__icontains=text) | Q(full_name__icontains=text)
        in_contact = Q(email__icontains=text) | Q(phone__icontains=text)
        # A match in a hidden field would tell what it holds, letter by letter.
        shown = Q(pk__in=rights.visible_subjects(USER_CREATED, self.viewer, VIEW_USER_CONTACT))
        return in_names | (shown & in_contact)


def _narrowed(part: Rows, asked_for: Q) -> Rows:
    return lambda **where: part(**where).filter(asked_for)


class UserDetailView(UserView):
    """One user."""

    @extend_schema(
        operation_id="users_retrieve",
        summary="Show a user",
        responses={200: UserBody, **problems(401, 403, 404, 503)},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return a user as the caller may see it."""
        with self.one_moment():
            user, _ = self.visible_user(user_id)
            return Response(self.seen_one(user))

    @extend_schema(
        operation_id="users_change",
        summary="Change a user's role, deactivate or reactivate it",
        description="Needs manage_users, and that the user's role, had or to be had, gives nothing the caller lacks.",
        request=UserChangeBody,
        responses={200: UserBody, **problems(400, 401, 403, 404, 409, 503)},
    )
    def patch(self, request: Request, user_id: str) -> Response:
        """Change a user that the caller may see."""
        user, _ = self.visible_user(user_id)
        self.require(MANAGE_USERS)
        changes = validated(UserChangeBody, request)
        return Response(self.as_it_is_now(change_user(user=user, changed_by=self.viewer, **changes)))
