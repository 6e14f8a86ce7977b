"""
Database triggers that bump a tenant's rights counter, from one list of watched tables.

Every change of what anybody may see must bump the counter in its own transaction, whichever path makes it. Signals and
services miss too many paths (m2m ``through`` writes, ``QuerySet.update``, ``bulk_create``, cascades, raw SQL), so the
database itself writes, for each watched row that changes, one row of ``tenants_rightschange`` that names what was
touched; a second trigger on that table bumps the counter. On PostgreSQL the bump is a deferred constraint trigger: at
commit, once per transaction and tenant, in the order of tenant ids, so that no counter is locked early and two
transactions cannot wait for each other. SQLite has one writer at a time, and bumps at once.

PostgreSQL runs the triggers of rows that come or go once per statement, over all its rows: a creation's grants are many
rows, written at once, none of which touches anybody (docs/adr/0012).
"""

from dataclasses import dataclass

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.models import RightsChange

YESTERDAY = {"postgresql": "(now() - interval '1 day')", "sqlite": "datetime('now', '-1 day')"}
CHANGE_COLUMNS = "tenant_id, user_id, group_id, session_id, subject_id, permission_id, granted"


@dataclass(frozen=True, slots=True)
class Watched:
    """
    A table whose rows decide what somebody may see.

    ``touched`` are the values of ``CHANGE_COLUMNS``; ``found`` is the table that they need beside the changed row, with
    its alias, and which row of it, as ``table alias WHERE condition``. In both ``{row}`` is the row that changed,
    ``{granted}`` is TRUE for a row that came and FALSE for one that went, and ``{yesterday}`` is the time a day ago. An
    update counts as both, and only when one of ``columns`` changed; no ``columns`` means that updates do not matter.
    """

    table: str
    touched: str
    found: str = ""
    columns: tuple[str, ...] = ()
    on_insert: bool = True
    on_delete: bool = True


WATCHED_HERE = (
    Watched(
        table="tenants_tenant",
        touched="{row}.id, NULL, NULL, NULL, NULL, NULL, NULL",
        columns=("is_active",),
        on_insert=False,
    ),
)


def install(editor: BaseDatabaseSchemaEditor, watched: tuple[Watched, ...]) -> None:
    """Make the triggers of ``watched``, in place of any that were there."""
    for entry in watched:
        for statement in statements_of(entry, editor.connection.vendor):
            editor.execute(statement, params=None)


def install_bump(editor: BaseDatabaseSchemaEditor) -> None:
    """Make what all watched tables share: the trigger that bumps."""
    for statement in BUMP[editor.connection.vendor]:
        editor.execute(statement, params=None)


def give_up_soon(editor: BaseDatabaseSchemaEditor) -> None:
    """
    Have the transaction of a migration fail if it waits 5 s for a table, so that it can be tried again.

    Behind it wait all who write there, for as long as it waits for one who reads for an hour.
    """
    if editor.connection.vendor == "postgresql":
        editor.execute("SET LOCAL lock_timeout = '5s'", params=None)


def remove_what_all_shared(editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the function that triggers of PostgreSQL ran before each had one of its own, once none of them does."""
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP FUNCTION IF EXISTS usher_note_rights_change()", params=None)


def statements_of(entry: Watched, vendor: str) -> list[str]:
    """Return the statements that make an entry's triggers on ``sqlite`` or ``postgresql``."""
    make = _sqlite_trigger if vendor == "sqlite" else _postgresql_trigger
    statements = []
    for operation, wanted in (("INSERT", entry.on_insert), ("DELETE", entry.on_delete), ("UPDATE", entry.columns)):
        if wanted:
            statements += make(entry, operation)
    return statements


def name_of(entry: Watched, operation: str) -> str:
    """Return the name of the trigger that watches one kind of change of a table."""
    return f"usher_rights_{entry.table}_{operation.lower()}"


def _note(entry: Watched, vendor: str, *, row: str, granted: str, rows: str = "") -> str:
    """Return the statement that notes a change of ``row``, or of each row of the table ``rows``."""
    sources = [f"{rows} {row}"] if rows else []
    if entry.found:
        # OFFSET 0: each row is looked up by itself. Joined as it likes, the database would keep, for as long as the
        # connection lives, a plan that is good for as many rows as came at the first time.
        alias = entry.found.split()[1]
        sources.append(f"LATERAL (SELECT * FROM {entry.found} OFFSET 0) {alias}" if rows else entry.found)
    source = f" FROM {', '.join(sources)}" if sources else ""
    note = f"INSERT INTO tenants_rightschange ({CHANGE_COLUMNS}) SELECT {entry.touched}{source}"
    return note.format(row=row, granted=granted, yesterday=YESTERDAY[vendor])


def _changed(entry: Watched, operation: str, unequal: str) -> str:
    if operation != "UPDATE":
        return ""
    return "WHEN (" + " OR ".join(f"OLD.{c} {unequal} NEW.{c}" for c in entry.columns) + ")"


def _sqlite_trigger(entry: Watched, operation: str) -> list[str]:
    notes = []
    if operation != "INSERT":
        notes.append(_note(entry, "sqlite", row="OLD", granted="FALSE"))
    if operation != "DELETE":
        notes.append(_note(entry, "sqlite", row="NEW", granted="TRUE"))
    name = name_of(entry, operation)
    return [
        f"DROP TRIGGER IF EXISTS {name}",
        (
            f"CREATE TRIGGER {name} AFTER {operation} ON {entry.table} "
            f"{_changed(entry, operation, 'IS NOT')} BEGIN {'; '.join(notes)}; END"
        ),
    ]


def _postgresql_trigger(entry: Watched, operation: str) -> list[str]:
    name = name_of(entry, operation)
    if operation == "UPDATE":
        notes = [
            _note(entry, "postgresql", row="OLD", granted="FALSE"),
            _note(entry, "postgresql", row="NEW", granted="TRUE"),
        ]
        each = f"FOR EACH ROW {_changed(entry, operation, 'IS DISTINCT FROM')}"
    else:
        side, granted = ("NEW", "TRUE") if operation == "INSERT" else ("OLD", "FALSE")
        notes = [_note(entry, "postgresql", row="changed", granted=granted, rows="changed_rows")]
        each = f"REFERENCING {side} TABLE AS changed_rows FOR EACH STATEMENT"
    # A function of its own for each: what is written in one is planned once for each connection, what it is handed as
    # text would be planned at every call.
    return [
        (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {'; '.join(notes)}; RETURN NULL; END $$"
        ),
        f"CREATE OR REPLACE TRIGGER {name} AFTER {operation} ON {entry.table} {each} EXECUTE FUNCTION {name}()",
    ]


BUMP = {
    "postgresql": [
        f"""
        CREATE OR REPLACE FUNCTION usher_bump_rights() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            touched bigint;
            bumped bigint;
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM tenants_rightschange WHERE id = NEW.id AND rights IS NULL) THEN
                RETURN NULL;  -- an earlier row of this transaction has bumped for all
            END IF;
            FOR touched IN SELECT DISTINCT tenant_id FROM tenants_rightschange WHERE rights IS NULL ORDER BY 1 LOOP
                INSERT INTO tenants_rightscounter AS counter (tenant_id, value) VALUES (touched, 1)
                    ON CONFLICT (tenant_id) DO UPDATE SET value = counter.value + 1 RETURNING value INTO bumped;
                UPDATE tenants_rightschange SET rights = bumped WHERE tenant_id = touched AND rights IS NULL;
                DELETE FROM tenants_rightschange WHERE tenant_id = touched AND rights <= bumped - {RightsChange.KEPT};
            END LOOP;
            RETURN NULL;
        END $$
        """,
        "DROP TRIGGER IF EXISTS usher_bump_rights ON tenants_rightschange",
        (
            "CREATE CONSTRAINT TRIGGER usher_bump_rights AFTER INSERT ON tenants_rightschange "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION usher_bump_rights()"
        ),
    ],
    "sqlite": [
        "DROP TRIGGER IF EXISTS usher_bump_rights",
        # No conflict clause in here: that of the outer statement (m2m add() is INSERT OR IGNORE) takes the place of
        # one in a trigger, and the bump would be ignored (https://sqlite.org/lang_createtrigger.html).
        f"""
        CREATE TRIGGER usher_bump_rights AFTER INSERT ON tenants_rightschange BEGIN
            INSERT INTO tenants_rightscounter (tenant_id, value) SELECT NEW.tenant_id, 0
                WHERE NOT EXISTS (SELECT 1 FROM tenants_rightscounter WHERE tenant_id = NEW.tenant_id);
            UPDATE tenants_rightscounter SET value = value + 1 WHERE tenant_id = NEW.tenant_id;
            UPDATE tenants_rightschange SET rights =
                (SELECT value FROM tenants_rightscounter WHERE tenant_id = NEW.tenant_id) WHERE id = NEW.id;
            DELETE FROM tenants_rightschange WHERE tenant_id = NEW.tenant_id AND rights <=
                (SELECT value FROM tenants_rightscounter WHERE tenant_id = NEW.tenant_id) - {RightsChange.KEPT};
        END
        """,
    ],
}
