"""What of accounts decides who may see what, and what the database itself holds true about users and their events."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.models import PLATFORM
from tenants.triggers import Watched


def _grant_on_user(*, table: str, user: str, group: str) -> Watched:
    # A newcomer without an event is being created in this very transaction: nobody can have heard of it, so the
    # default grants of a creation touch no viewer. (They are written before its event is appended.) Who joined before
    # yesterday may have an event that the log has let go since.
    return Watched(
        table=table,
        touched=f"u.tenant_id, {user}, {group}, NULL, u.id, {{row}}.permission_id, {{granted}}",
        found="accounts_user u WHERE u.id = {row}.content_object_id AND u.tenant_id IS NOT NULL "
        "AND (u.joined_at < {yesterday} OR EXISTS (SELECT 1 FROM realtime_event e WHERE e.subject_id = u.id))",
        columns=("content_object_id", "permission_id", "user_id" if group == "NULL" else "group_id"),
    )


def _grant_on_tenant(*, table: str, user: str, group: str) -> Watched:
    return Watched(
        table=table,
        touched=f"{{row}}.content_object_id, {user}, {group}, NULL, NULL, {{row}}.permission_id, {{granted}}",
        columns=("content_object_id", "permission_id", "user_id" if group == "NULL" else "group_id"),
    )


WATCHED = (
    Watched(
        table="accounts_user",
        touched=f"COALESCE({{row}}.tenant_id, {PLATFORM}), {{row}}.id, NULL, NULL, NULL, NULL, NULL",
        columns=("is_active", "tenant_id"),
        on_insert=False,
    ),
    Watched(
        table="accounts_user_groups",
        touched=f"COALESCE(u.tenant_id, {PLATFORM}), u.id, {{row}}.group_id, NULL, NULL, NULL, {{granted}}",
        found="accounts_user u WHERE u.id = {row}.user_id",
        columns=("user_id", "group_id"),
    ),
    _grant_on_tenant(table="accounts_tenantgranttouser", user="{row}.user_id", group="NULL"),
    _grant_on_tenant(table="accounts_tenantgranttogroup", user="NULL", group="{row}.group_id"),
    _grant_on_user(table="accounts_usergranttouser", user="{row}.user_id", group="NULL"),
    _grant_on_user(table="accounts_usergranttogroup", user="NULL", group="{row}.group_id"),
    Watched(
        table="accounts_session",
        # One that is over opens nothing, so that its going touches nobody: housekeeping removes them by the thousand.
        # Over for a day: whoever asks the clock may ask another one.
        touched=f"COALESCE(u.tenant_id, {PLATFORM}), u.id, NULL, {{row}}.id, NULL, NULL, NULL",
        found="accounts_user u WHERE u.id = {row}.user_id AND {row}.ended_at IS NULL "
        "AND {row}.expires_at > {yesterday}",
        columns=("ended_at", "user_id", "expires_at"),
        on_insert=False,
    ),
)

ONE_EVENT_EACH = """
CREATE OR REPLACE FUNCTION usher_user_has_one_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    events bigint;
BEGIN
    SELECT count(*) INTO events FROM realtime_event
        WHERE subject_id = NEW.id AND kind = 'user.created' AND tenant_id = NEW.tenant_id;
    -- Asked last, since it is seldom asked: an operator has none, and who is gone again needs none.
    IF events <> 1 AND EXISTS (SELECT 1 FROM accounts_user WHERE id = NEW.id AND tenant_id IS NOT NULL) THEN
        RAISE EXCEPTION 'user % of tenant % has % user.created events; expected exactly one: create users '
            'with accounts.users.create_user or User.save()', NEW.id, NEW.tenant_id, events
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
FENCES = {
    "postgresql": [
        ONE_EVENT_EACH,
        "DROP TRIGGER IF EXISTS usher_user_has_one_event ON accounts_user",
        (
            "CREATE CONSTRAINT TRIGGER usher_user_has_one_event AFTER INSERT ON accounts_user "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION usher_user_has_one_event()"
        ),
        "DROP TRIGGER IF EXISTS usher_moved_user_has_one_event ON accounts_user",
        # WHEN: save() writes the tenant of an old user as it was, and the log may have let its event go.
        (
            "CREATE CONSTRAINT TRIGGER usher_moved_user_has_one_event AFTER UPDATE OF tenant_id ON accounts_user "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.tenant_id IS DISTINCT FROM NEW.tenant_id) "
            "EXECUTE FUNCTION usher_user_has_one_event()"
        ),
        """
        CREATE OR REPLACE FUNCTION usher_erase_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE realtime_event SET snapshot = '{}' WHERE subject_id = OLD.id;
            RETURN NULL;
        END $$
        """,
        (
            "CREATE OR REPLACE TRIGGER usher_erase_snapshot AFTER DELETE ON accounts_user "
            "FOR EACH ROW EXECUTE FUNCTION usher_erase_snapshot()"
        ),
    ],
    "sqlite": [
        "DROP TRIGGER IF EXISTS usher_erase_snapshot",
        (
            "CREATE TRIGGER usher_erase_snapshot AFTER DELETE ON accounts_user BEGIN "
            "UPDATE realtime_event SET snapshot = '{}' WHERE subject_id = OLD.id; END"
        ),
    ],
}
"""
PostgreSQL refuses to commit a user of a tenant without exactly one ``user.created`` event; SQLite has no deferred
triggers, there ``manage.py check_log`` tells. Both erase what the log says about a user who is deleted.
"""

ONE_CREATION = (
    "CREATE UNIQUE INDEX IF NOT EXISTS one_creation_per_user ON realtime_event (subject_id) WHERE kind = 'user.created'"
)


def install_fences(editor: BaseDatabaseSchemaEditor) -> None:
    """Make the triggers and the index that tie a user to its event, in place of any that were there."""
    for statement in [*FENCES[editor.connection.vendor], ONE_CREATION]:
        editor.execute(statement, params=None)
