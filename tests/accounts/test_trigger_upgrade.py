"""A database whose triggers are of an earlier release gets those of this one, and keeps nothing of the old."""

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import grants
from accounts.triggers import WATCHED
from tenants.triggers import WATCHED_HERE, name_of

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

SHARED = """
CREATE FUNCTION usher_note_rights_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'of the earlier release'; END $$
"""
"""By its name: every trigger ran it, for each row, with the statement to run as its argument."""
FUNCTIONS = """
SELECT t.tgname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgname LIKE 'usher_rights_%'
"""


def functions_of_triggers():
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        return dict(cursor.fetchall())


def test_triggers_of_an_earlier_release_give_way(house):
    before = functions_of_triggers()
    call_command("migrate", "accounts", "0005", verbosity=0)
    call_command("migrate", "tenants", "0004", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(SHARED)
        for entry in (*WATCHED_HERE, *WATCHED):
            for operation in ("INSERT", "UPDATE", "DELETE"):
                if (name := name_of(entry, operation)) in before:
                    cursor.execute(
                        f"CREATE OR REPLACE TRIGGER {name} AFTER {operation} ON {entry.table} FOR EACH ROW "
                        "EXECUTE FUNCTION usher_note_rights_change('')"
                    )
    assert set(functions_of_triggers().values()) == {"usher_note_rights_change"}

    call_command("migrate", verbosity=0)

    assert functions_of_triggers() == before == {name: name for name in before}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = 'usher_note_rights_change'")
        assert cursor.fetchone() == (0,)
    rights = house.rights()
    grants.give_grant(subject=house.user("carol"), permission="view_user", to=house.user("bob"))
    house.user("carol").delete()
    noted = [change.granted for change in house.changes_since(rights) if change.subject_id]
    assert noted == [True] + 7 * [False], "the grant that was given, then it and six default grants that went"
