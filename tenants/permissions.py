"""The codenames of the permissions that are held on a tenant."""

WATCH_SIGNUPS = "watch_signups"
MANAGE_USERS = "manage_users"
MANAGE_GRANTS = "manage_grants"
ON_TENANTS = (WATCH_SIGNUPS, MANAGE_USERS, MANAGE_GRANTS)
