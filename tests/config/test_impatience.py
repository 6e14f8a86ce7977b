"""A server gives PostgreSQL some seconds for an answer, and no other command does."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import ConnectionPool

from config import impatience
from config.databases import database_of
from config.impatience import ImpatientConnection, bounds_of
from tests.faults.proxy import BLACK_HOLE, Proxy

PROJECT = Path("/srv/usher")


@pytest.fixture
def line(databases):
    """A line to PostgreSQL, which can be made bad."""
    with Proxy(databases.postgres.socket) as proxy:
        yield proxy


@pytest.fixture
def connection(line):
    where = f"host=127.0.0.1 port={line.port} user=postgres dbname=postgres"
    with ImpatientConnection.connect(where, autocommit=True) as connection:
        yield connection


def test_a_database_that_says_nothing_is_given_up(line, connection, monkeypatch):
    monkeypatch.setattr(impatience, "ANSWER_SECONDS", 0.2)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    line.set(BLACK_HOLE)

    with pytest.raises(psycopg.OperationalError, match=r"no answer from PostgreSQL within 0.2 s"):
        connection.execute("SELECT 1")

    assert connection.closed, "an answer that came late would be taken for that to the next question"


def test_an_error_that_is_an_answer_stays_what_it_is(connection):
    connection.execute("SET statement_timeout = 50")

    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        connection.execute("SELECT pg_sleep(10)")

    assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.fixture
def asked(monkeypatch):
    """The statements that go to the database."""
    asked, real = [], psycopg.Cursor.execute

    def noted(self, query, *args, **kwargs):
        asked.append(query)
        return real(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return asked


def test_a_connection_that_has_just_answered_is_not_asked_whether_it_is_whole(connection, asked, monkeypatch):
    connection.execute("SELECT 1")
    ConnectionPool.check_connection(connection)
    assert asked == ["SELECT 1"]

    monkeypatch.setattr(impatience, "FRESH_SECONDS", 0.0)
    ConnectionPool.check_connection(connection)
    assert asked == ["SELECT 1", ""]


def test_one_that_was_only_made_ready_for_the_question_is_asked(line, asked):
    where = f"host=127.0.0.1 port={line.port} user=postgres dbname=postgres"
    with ImpatientConnection.connect(where) as connection:  # not as the pool wants it: it is set right first
        connection._answered_at = 0.0

        ConnectionPool.check_connection(connection)

    assert asked == [impatience.QUESTION]


def test_one_that_has_ended_meanwhile_is_found_out_at_once(databases, asked):
    with ImpatientConnection.connect(databases.postgres.url_of("postgres"), autocommit=True) as connection:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        databases.postgres.execute(sql.SQL("SELECT pg_terminate_backend({}, 20000)").format(pid))

        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            ConnectionPool.check_connection(connection)

    assert asked[-1] == impatience.QUESTION


def test_a_server_bounds_its_statements_and_what_the_url_says_wins():
    plain = bounds_of(database_of("postgresql://db/usher", project=PROJECT))
    own = bounds_of(database_of("postgresql://db/usher?options=-c%20statement_timeout%3D0", project=PROJECT))

    assert plain["pool"]["connection_class"] is ImpatientConnection
    assert plain["options"] == "-c statement_timeout=8000 -c idle_in_transaction_session_timeout=10000"
    assert own["options"].endswith(" -c statement_timeout=0")


def test_sqlite_has_nothing_to_bound():
    assert bounds_of(database_of(None, project=PROJECT)) == {}
