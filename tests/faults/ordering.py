"""
Has the database note, for each event, which changes of rights had been committed before it.

Neither ids nor times tell the order of two commits. But an event's transaction can look at the rights counter at its
very end: what it sees there was committed before it, or commits with it. So each event's row in ``noted`` is a bound
from below, as tight as the database allows, whichever process commits the event.
"""

from typing import Any

import psycopg

TRIGGERS = """
CREATE TABLE noted (event_id uuid PRIMARY KEY, rights bigint);
CREATE FUNCTION note_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO noted (event_id) VALUES (NEW.id); RETURN NULL;
END $$;
CREATE FUNCTION note_rights() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE noted SET rights = COALESCE((SELECT r.value FROM realtime_event e JOIN tenants_rightscounter r
        ON r.tenant_id = e.tenant_id WHERE e.id = NEW.event_id), 0) WHERE event_id = NEW.event_id;
    RETURN NULL;
END $$;
-- Two steps: what is deferred while deferred triggers run comes after them all, so after this transaction's own bump.
CREATE CONSTRAINT TRIGGER note_event AFTER INSERT ON realtime_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_event();
CREATE CONSTRAINT TRIGGER note_rights AFTER INSERT ON noted
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_rights();
"""


def note_order(database_url: str) -> None:
    """Begin to note, in a database that no server uses yet."""
    with psycopg.connect(database_url) as connection:
        connection.execute(TRIGGERS)


def noted_order(database_url: str) -> list[tuple[Any, ...]]:
    """Return (event id, position, subject, username, counter at its commit) of what was noted, in the log's order."""
    with psycopg.connect(database_url) as connection:
        query = (
            "SELECT e.id::text, e.position, e.subject_id::text, e.snapshot->>'username', n.rights "
            "FROM noted n JOIN realtime_event e ON e.id = n.event_id ORDER BY e.position"
        )
        return connection.execute(query).fetchall()
