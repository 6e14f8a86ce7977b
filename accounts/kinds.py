"""The events that accounts declares."""

from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT, VIEW_USER_ORIGIN
from realtime.kinds import EventKind, Field, declare

USER_CREATED = EventKind(
    name="user.created",
    subject="accounts.User",
    hear=VIEW_USER,
    fields=(
        Field("id", VIEW_USER),
        Field("username", VIEW_USER),
        Field("full_name", VIEW_USER),
        Field("joined_via", VIEW_USER),
        Field("joined_at", VIEW_USER),
        Field("email", VIEW_USER_CONTACT),
        Field("phone", VIEW_USER_CONTACT),
        Field("address", VIEW_USER_ORIGIN),
        Field("agent", VIEW_USER_ORIGIN),
    ),
    message="New user created: {username}",
)


def declare_all() -> None:
    """Declare every kind of event of this app."""
    declare(USER_CREATED)
