"""The codenames of all permissions, and the roles that a tenant begins with."""

from tenants.permissions import MANAGE_GRANTS, MANAGE_USERS, ON_TENANTS, WATCH_SIGNUPS

__all__ = ["MANAGE_GRANTS", "MANAGE_USERS", "ON_TENANTS", "WATCH_SIGNUPS"]

VIEW_USER = "view_user"
VIEW_USER_CONTACT = "view_user_contact"
VIEW_USER_ORIGIN = "view_user_origin"
ON_USERS = (VIEW_USER, VIEW_USER_CONTACT, VIEW_USER_ORIGIN)

OWNER = "owner"
ADMIN = "admin"
VIEWER = "viewer"

FIRST_ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    OWNER: (ON_TENANTS, ON_USERS),
    ADMIN: ((WATCH_SIGNUPS, MANAGE_USERS), (VIEW_USER, VIEW_USER_CONTACT)),
    VIEWER: ((WATCH_SIGNUPS,), (VIEW_USER,)),
}
"""Role name -> permissions on the tenant, default grants on each user created in it."""
