"""What the log says, and what it never says."""

import logging
import logging.config

import jwt
import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import path

from accounts.models import User
from config import urls
from config.logs import logging_of
from tests.stories.servers import RECORD

MANY_FIELDS = "&".join(f"f{number}=" for number in range(1001))
BROKEN_MULTIPART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n'
REQUEST_ID = "0123456789abcdef0123456789abcdef"
TOKEN = jwt.encode({"sub": "alice", "token_type": "access"}, "a key that signs nothing but this token")


@pytest.fixture
def configured():
    """Set logging up for a level; what the tests began with comes back."""
    yield lambda level: logging.config.dictConfig(logging_of(level))
    logging.config.dictConfig(settings.LOGGING)


def test_a_line_names_the_path_and_neither_query_nor_headers(caplog):
    Client().get("/nothing-here?token=hidden", headers={"authorization": "Bearer hidden"})

    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "Not Found: /nothing-here"


@pytest.mark.parametrize("path", ["/api/v1/{}", "/api/v1/users/{}/grants", "/{}", "/ws/{}/", "/api/v1/a{}"])
def test_a_token_in_a_path_is_not_written(configured, capsys, path):
    configured("INFO")

    Client().get(path.format(TOKEN))

    line = capsys.readouterr().err
    assert f": {path.format('[token]')}" in line
    assert not any(part in line for part in TOKEN.split("."))


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "exception", "critical"])
def test_no_record_of_whatever_logger_has_a_token_in_words_values_or_traceback(configured, capsys, level):
    configured("DEBUG")
    for logger in ("django.request", "realtime.hub", "uvicorn.error", "somebody.elses"):
        try:
            raise ValueError(f"what is {TOKEN}?")
        except ValueError:
            getattr(logging.getLogger(logger), level)("%s and %r: " + TOKEN, TOKEN, {"token": TOKEN}, exc_info=True)

    text = capsys.readouterr().err
    assert text.count("ValueError: what is [token]?\n") >= 3
    assert not any(part in text for part in TOKEN.split("."))


def test_what_is_no_token_is_written_as_it_is(configured, capsys):
    configured("INFO")

    logging.getLogger("realtime.hub").warning("eyJ is no token, nor are 1.2.3 and eyJabc.x")

    assert capsys.readouterr().err.endswith("WARNING realtime.hub: eyJ is no token, nor are 1.2.3 and eyJabc.x\n")


@pytest.mark.parametrize(
    ("level", "django", "ours"),
    [("DEBUG", "INFO", "DEBUG"), ("INFO", "INFO", "INFO"), ("ERROR", "ERROR", "ERROR")],
)
def test_a_level_is_everybodys_but_django_never_logs_its_statements(configured, level, django, ours):
    configured(level)

    assert logging.getLogger("django.db.backends").getEffectiveLevel() == getattr(logging, django)
    assert logging.getLogger("realtime.hub").getEffectiveLevel() == getattr(logging, ours)


def test_what_the_core_layer_leaves_behind_is_no_news(configured, capsys):
    configured("INFO")
    said = "Task exception was never retrieved\nfuture: <Task finished coro=<{}() done>>"

    for coroutine in ("RedisChannelLayer._clean_receive_backup", "Hub._read"):
        logging.getLogger("asyncio").error(said.format(coroutine))

    text = capsys.readouterr().err
    assert "_clean_receive_backup" not in text
    assert "coro=<Hub._read() done>" in text, "a task of ours is news"


def test_each_attempt_to_reach_postgresql_is_no_news(configured, capsys):
    configured("INFO")
    for level in ("warning", "error"):
        getattr(logging.getLogger("psycopg.pool"), level)("%s connecting in 'pool-1'", level)

    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["error connecting in 'pool-1'"]


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "line"),
    [
        (MANY_FIELDS, "application/x-www-form-urlencoded", {}, ""),
        (BROKEN_MULTIPART, "multipart/form-data; boundary=", {}, "Bad request (Unable to parse request body)"),
        ("", "application/x-www-form-urlencoded", {"host": "elsewhere.test"}, ""),
    ],
    ids=["too many fields", "no multipart", "another host"],
)
def test_what_is_refused_leaves_a_line_at_most(configured, capsys, db, body, content_type, headers, line):
    configured("INFO")

    response = Client(raise_request_exception=False).generic(
        "POST", "/admin/login/", body, content_type=content_type, headers=headers
    )

    said = capsys.readouterr().err
    assert response.status_code == 400
    assert "Traceback" not in said
    assert line in said
    assert len(said.splitlines()) == bool(line)


def test_a_filter_that_the_admin_does_not_have_leaves_no_traceback(configured, capsys, db):
    configured("INFO")
    operator = User.objects.create(username="olga", is_staff=True)
    browser = Client(raise_request_exception=False)
    browser.force_login(operator, backend="accounts.authentication.OperatorBackend")

    assert browser.get("/admin/accounts/user/?email=a").status_code == 400

    assert "Traceback" not in capsys.readouterr().err


def _mistaken(request):
    logging.getLogger("accounts").warning("something is odd")
    raise RuntimeError("a mistake")


urlpatterns = [path("mistaken", _mistaken)]
handler404, handler500 = urls.handler404, urls.handler500


@override_settings(ROOT_URLCONF=__name__)
def test_all_that_is_said_of_a_request_names_its_id_and_nothing_else_does(configured, capsys):
    configured("INFO")
    client = Client(raise_request_exception=False, headers={"x-request-id": REQUEST_ID})

    assert client.get("/mistaken").status_code == 500
    assert client.get("/nothing-here").status_code == 404
    logging.getLogger("accounts").warning("between two requests")

    records = RECORD.split(capsys.readouterr().err)[1:]
    of_mistake, of_nothing, between = records[:-2], records[-2], records[-1]
    for record in (*of_mistake, of_nothing):
        assert record.splitlines()[0].endswith(f" (request_id {REQUEST_ID})"), record
    assert "something is odd" in of_mistake[0]
    assert "RuntimeError: a mistake" in of_mistake[-1], "its traceback follows the line"
    assert between.endswith("between two requests\n")
