"""What counts as a database that does not answer, and how little is said of it."""

import pytest
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from psycopg import errors

from accounts.api import outage
from accounts.api.outage import Complaint, is_outage


def internal(cause: type[errors.Error]) -> InternalError:
    error = InternalError("from the database")
    error.__cause__ = cause("from the driver")
    return error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("the server closed the connection"),
        InterfaceError("the connection is closed"),
        internal(errors.IdleInTransactionSessionTimeout),
        internal(errors.ReadOnlySqlTransaction),
    ],
    ids=repr,
)
def test_a_database_that_is_away_is_no_mistake_of_ours(error):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [ProgrammingError("no such table"), IntegrityError("twice"), internal(errors.InvalidTransactionState)],
    ids=repr,
)
def test_a_question_asked_wrongly_is(error):
    assert not is_outage(error)


def test_an_outage_is_said_once_in_ten_seconds_with_the_number_of_requests(caplog, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(outage.time, "monotonic", lambda: now[0])
    complaint = Complaint()

    for _ in range(8):
        complaint.about(OperationalError("gone\nCONTEXT: INSERT INTO accounts_user VALUES ('dave')"))
    now[0] += 10
    complaint.about(OperationalError("still gone"))

    assert caplog.messages == [
        "the database did not answer a request (gone), nor 0 since this was last said",
        "the database did not answer a request (still gone), nor 7 since this was last said",
    ]
