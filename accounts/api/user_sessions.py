"""The sessions of one user, for staff: where somebody is logged in, and an end to one or all of it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.auth_bodies import UserSessionListBody, view_of_session
from accounts.api.caller import standing_of
from accounts.api.openapi import problems
from accounts.api.pagination import PARAMETERS, body_of, cursor_of, read_page
from accounts.api.permissions import TenantView, uuid_of
from accounts.api.problems import NotFound
from accounts.endings import live_sessions
from accounts.models import Session, User
from accounts.permissions import MANAGE_USERS, VIEW_USER_ORIGIN
from accounts.users import end_sessions


class UserSessionView(TenantView):
    """What the views of a user's sessions share."""

    def subject(self, user_id: str) -> tuple[User, frozenset[str]]:
        """Return the user with what the caller holds on it, if the caller may see it and manage users."""
        user, held = self.visible_user(user_id)
        self.require(MANAGE_USERS)
        return user, held


class UserSessionListView(UserSessionView):
    """The sessions of a user."""

    @extend_schema(
        operation_id="users_sessions_list",
        summary="List a user's live sessions, newest first",
        description="Needs manage_users. Address and agent are shown to those who may see where the user comes from.",
        parameters=PARAMETERS,
        responses={200: UserSessionListBody, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return a page of the live sessions of a user that the caller may see."""
        with self.one_moment():
            user, held = self.subject(user_id)
            live = live_sessions(user)
            page = read_page(cursor_of(request), [live.filter], [live.filter])
        current = standing_of(request).session_id
        rows = [_as_seen(session, held, is_current=session.pk == current) for session in page.rows]
        return Response(body_of(request, page, rows))

    @extend_schema(
        operation_id="users_sessions_destroy_all",
        summary="Log a user out everywhere",
        description="Needs manage_users, and that the user's role gives nothing that the caller lacks.",
        responses={204: None, **problems(401, 403, 404, 503)},
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """End all sessions of a user that the caller may see, and with them its tokens and sockets."""
        user, _ = self.subject(user_id)
        end_sessions(user=user, ended_by=self.viewer)
        return Response(status=204)


class UserSessionDetailView(UserSessionView):
    """One session of a user."""

    @extend_schema(
        operation_id="users_sessions_destroy",
        summary="End one session of a user",
        description="Needs manage_users, and that the user's role gives nothing that the caller lacks.",
        responses={204: None, **problems(401, 403, 404, 503)},
    )
    def delete(self, request: Request, user_id: str, session_id: str) -> Response:
        """End a live session of a user that the caller may see, and with it its tokens and sockets."""
        user, _ = self.subject(user_id)
        identity = uuid_of(session_id)
        if identity is None or not end_sessions(user=user, ended_by=self.viewer, session_id=identity):
            raise NotFound
        return Response(status=204)


def _as_seen(session: Session, held: frozenset[str], *, is_current: bool) -> dict[str, Any]:
    """Return a session as a holder of these permissions on its user sees it."""
    view = view_of_session(session, is_current=is_current)
    # Where somebody logs in from is mostly where he signed up from, which the caller may not be let see.
    hidden = [] if VIEW_USER_ORIGIN in held else ["address", "agent"]
    return {name: value for name, value in view.items() if name not in hidden} | {"redacted": hidden}
