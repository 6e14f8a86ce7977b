"""What the log says, and what it never says."""

import logging
import logging.config

import pytest
from django.conf import settings
from django.test import Client

from config.logs import logging_of


@pytest.fixture
def configured():
    """Set logging up for a level; what the tests began with comes back."""
    yield lambda level: logging.config.dictConfig(logging_of(level))
    logging.config.dictConfig(settings.LOGGING)


def test_a_line_names_the_path_and_neither_query_nor_headers(caplog):
    Client().get("/nothing-here?token=hidden", headers={"authorization": "Bearer hidden"})

    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "Not Found: /nothing-here"


@pytest.mark.parametrize(
    ("level", "django", "ours"),
    [("DEBUG", "INFO", "DEBUG"), ("INFO", "INFO", "INFO"), ("ERROR", "ERROR", "ERROR")],
)
def test_a_level_is_everybodys_but_django_never_logs_its_statements(configured, level, django, ours):
    configured(level)

    assert logging.getLogger("django.db.backends").getEffectiveLevel() == getattr(logging, django)
    assert logging.getLogger("realtime.hub").getEffectiveLevel() == getattr(logging, ours)
