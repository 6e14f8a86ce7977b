"""A body that comes in chunks, without its length before it: it is read as one that says its length is."""

import httpx
import pytest

from tests.stories.servers import NAMES

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(params=NAMES)
def client(request, start, demo_database):
    """A client of either server."""
    server = start(request.param, DATABASE_URL=demo_database("sqlite"))
    with httpx.Client(base_url=f"{server.address}/api/v1", timeout=60, trust_env=False) as client:
        yield client


def in_chunks(body: bytes):
    for start in range(0, len(body), 7):
        yield body[start : start + 7]


def test_a_body_in_chunks_is_read(client):
    credentials = in_chunks(b'{"username": "olga", "password": "usher-demo"}')
    logged_in = client.post("auth/token", content=credentials, headers=HEADERS)
    assert logged_in.status_code == 200, logged_in.text

    olga = HEADERS | {"Authorization": f"Bearer {logged_in.json()['access']}"}
    suspended = client.patch("platform/tenants/acme", content=in_chunks(b'{"is_active": false}'), headers=olga)

    assert suspended.request.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in suspended.request.headers
    assert (suspended.status_code, suspended.json()["is_active"]) == (200, False)

    unknown = client.patch("platform/tenants/acme", content=in_chunks(b'{"active": true}'), headers=olga)
    assert (unknown.status_code, list(unknown.json()["errors"])) == (400, ["active"])
