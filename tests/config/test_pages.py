"""Usher's own pages, what every response carries, and errors outside the API's views."""

import re
from unittest import mock

import pytest
import yaml
from django.db import OperationalError, ProgrammingError
from django.test import Client, override_settings
from django.urls import path

from accounts.api.problems import DATABASE_GONE
from accounts.models import User
from config import urls


def _broken(request):
    raise RuntimeError("a mistake")


urlpatterns = [*urls.urlpatterns, path("api/broken", _broken), path("broken", _broken)]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def client(settings):
    """A client of a server that found no live page; the one with a page: test_live_page."""
    settings.LIVE_PAGE = None
    return Client(raise_request_exception=False)


def test_the_root_links_what_there_is(client, db):
    page = client.get("/")

    links = re.findall(r'href="(/(?!static)[^"]*)"', page.content.decode())
    assert links == ["/api/docs/", "/api/schema/", "/admin/", "/livez"]
    for link in links:
        assert client.get(link).status_code in (200, 302), link


def test_the_root_has_no_inline_script_and_its_files_are_served(client):
    page = client.get("/").content.decode()

    assert "<script" not in page
    for file in re.findall(r'(?:href|src)="(/static/[^"]*)"', page):
        served = client.get(file)
        assert served.status_code == 200, file
        assert served["Cache-Control"] != "no-store", "files of the project may be kept"
        assert int(served["Content-Length"]) == len(served.content) > 0


def test_a_file_is_sent_in_part_or_not_at_all_where_that_is_enough(client):
    file = "/static/usher/home.css"
    whole = client.get(file)

    part = client.get(file, headers={"range": "bytes=0-4"})
    kept = client.get(file, headers={"if-none-match": whole["ETag"]})
    head = client.head(file)

    assert (part.status_code, part.content) == (206, whole.content[:5])
    assert (kept.status_code, kept.content) == (304, b"")
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", whole["Content-Length"])
    assert client.post(file).status_code == 405


def test_the_root_says_how_the_live_page_comes_there(client):
    assert "<code>make page</code> builds it" in client.get("/").content.decode()


def test_the_root_names_the_address_of_the_socket(client):
    page = client.get("/", headers={"host": "localhost:8000"})

    assert "ws://localhost:8000/ws/user_notifications/" in page.content.decode()


def test_livez_needs_no_database(client):
    # Without the db fixture any query would be an error.
    assert client.get("/livez").status_code == 200


def test_only_reading_is_allowed(client):
    assert client.post("/livez").status_code == 405


@pytest.mark.parametrize("url", ["/", "/livez", "/api/v1/nothing-here", "/nothing-here"])
def test_every_response_is_kept_by_nobody_and_runs_no_foreign_script(client, url):
    response = client.get(url)

    assert response["Cache-Control"] == "no-store"
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"], "no exception for scripts"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_a_request_keeps_the_id_that_it_brings(client):
    brought = "0123456789abcdef0123456789abcdef"

    assert client.get("/livez", headers={"x-request-id": brought})["X-Request-ID"] == brought


@pytest.mark.parametrize("brought", ["", "x", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n", "{" * 32])
def test_a_request_gets_an_id_if_its_own_is_not_32_hex_digits(client, brought):
    given = client.get("/livez", headers={"x-request-id": brought})["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", given)
    assert given != brought


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    ("url", "host", "status", "code"),
    [
        ("/api/v1/nothing-here", "localhost", 404, "not_found"),
        ("/api/broken", "localhost", 500, "server_error"),
        ("/api/v1/me", "elsewhere.test", 400, "bad_request"),
    ],
)
def test_an_error_of_the_api_is_a_problem(client, url, host, status, code):
    response = client.get(url, headers={"host": host})

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["request_id"] == response["X-Request-ID"]
    assert problem["detail"]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(("url", "status"), [("/nothing-here", 404), ("/broken", 500)])
def test_an_error_elsewhere_is_plain_text(client, url, status):
    response = client.get(url)

    assert response.status_code == status
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "Traceback" not in response.content.decode()


def test_cors_answers_exactly_the_allowed_origins_without_credentials(client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]

    def asked_by(origin):
        return client.options("/api/v1/me", headers={"origin": origin, "access-control-request-method": "GET"})

    allowed = asked_by("https://app.example.com")
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Credentials" not in allowed
    for origin in ("http://app.example.com", "https://app.example.com:444", "https://app.example.com.evil", "null"):
        assert "Access-Control-Allow-Origin" not in asked_by(origin), origin


def test_a_page_may_send_an_idempotency_key_and_read_that_it_was_replayed(client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    asking = {"origin": "https://app.example.com"}

    asked = client.options("/api/v1/users", headers=asking | {"access-control-request-method": "POST"})
    answered = client.post("/api/v1/users", headers=asking)

    assert "idempotency-key" in asked["Access-Control-Allow-Headers"].split(", ")
    assert "Idempotency-Replayed" in answered["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.each_database
@pytest.mark.parametrize("key", ["\\000aaaaaaaaaa", "x", "A" * 32, "a" * 31, "a" * 33, "\\012" * 32])
def test_what_is_no_sessions_key_is_nobodys(client, key):
    answer = client.get("/admin/", headers={"cookie": f'sessionid="{key}"'})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")


@pytest.mark.parametrize("path", ["autocomplete/", "autocomplete/?model_name=%00", "r/5/abc/", "r/0/0/"])
def test_pages_of_the_admin_that_nothing_uses_are_not_there(client, path):
    assert client.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize(
    "accepted", ["application/vnd.oai.openapi+json", "application/json", "application/yaml", "*/*"]
)
def test_the_description_is_made_once_and_is_what_the_command_writes(client, accepted):
    ask = {"accept": accepted, "host": "localhost"}
    first = client.get("/api/schema/", headers=ask)

    with mock.patch("config.description.SchemaGenerator", side_effect=AssertionError("made again")):
        for query in ("", "?version=%0A", "?version=2", "?lang=de"):
            again = client.get(f"/api/schema/{query}", headers=ask)
            assert (again.status_code, again.content) == (200, first.content), query
    said = yaml.safe_load(first.content)
    assert (said["openapi"][0], said["info"]["version"]) == ("3", "0.1.0")
    assert "/api/v1/users" in said["paths"]
    assert "/api/schema/" not in said["paths"]
    assert "localhost" not in first.content.decode(), "who asked first is in nobody's answer"


@pytest.mark.parametrize("where", ["the view", "the session"])
def test_the_admin_says_503_while_the_database_does_not_answer(client, db, caplog, where):
    at = {
        "the view": "django.contrib.admin.sites.AdminSite.get_app_list",
        "the session": "django.contrib.sessions.backends.db.SessionStore.load",
    }[where]
    operator = User.objects.create(username="olga", is_staff=True)
    client.force_login(operator, backend="accounts.authentication.OperatorBackend")
    assert client.get("/admin/").status_code == 200

    with mock.patch(at, side_effect=OperationalError("gone")):
        gone = client.get("/admin/")
    with mock.patch(at, side_effect=ProgrammingError("no such table")):
        mistaken = client.get("/admin/")

    assert (gone.status_code, gone["Retry-After"]) == (503, "5")
    assert gone.content.decode() == f"503 {DATABASE_GONE}\n"
    assert (mistaken.status_code, "Retry-After" in mistaken) == (500, False)
