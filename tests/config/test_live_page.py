"""The live page at the root: the files that were built, and nothing else that could run."""

import gzip
import json
import re

import pytest
from django.test import Client

from config import live_page
from config.live_page import LivePage, built_in
from config.values import proxies

CHUNKS = {
    "src/main.tsx": {
        "file": "assets/main-AbCd_-12.js",
        "isEntry": True,
        "css": ["assets/main-12345678.css"],
        "imports": ["_list-1.js", "_text-1.js"],
        "dynamicImports": ["src/late.tsx"],
    },
    "_list-1.js": {"file": "assets/list-AbCdEfGh.js", "imports": ["_text-1.js"], "css": ["assets/list-12345678.css"]},
    "_text-1.js": {"file": "assets/text-AbCdEfGh.js", "imports": ["src/main.tsx"]},
    "src/late.tsx": {"file": "assets/late-AbCdEfGh.js"},
}


def write(folder, chunks):
    (folder / ".vite").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / ".vite" / "manifest.json").write_text(json.dumps(chunks))
    for chunk in chunks.values():
        for name in (chunk["file"], *chunk.get("css", ())):
            (folder / name).write_text(f"/* {name} */")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "dist", CHUNKS)


@pytest.fixture
def client(folder, settings):
    """A client of a server that found the page when it started."""
    (folder / "notes.txt").write_text("no digest in this name")
    (folder / "assets" / "main-AbCd_-12.js.gz").write_bytes(gzip.compress(b"smaller"))
    settings.LIVE_PAGE = built_in(folder)
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS[:1], (live_page.PREFIX, folder)]
    return Client(headers={"host": "localhost:8000"})


def test_a_page_is_its_entry_with_all_that_it_imports_each_once(folder):
    assert built_in(folder) == LivePage(
        script="assets/main-AbCd_-12.js",
        modules=("assets/list-AbCdEfGh.js", "assets/text-AbCdEfGh.js"),
        styles=("assets/main-12345678.css", "assets/list-12345678.css"),
    )


def test_without_a_build_there_is_no_page(tmp_path):
    assert built_in(tmp_path) is None


def test_a_build_of_something_else_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match=r"does not name 'src/main\.tsx'; build the page anew with `make page`"):
        built_in(write(tmp_path, {"src/other.tsx": {"file": "assets/other.js"}}))


def test_the_root_loads_what_was_built(client):
    page = client.get("/").content.decode()

    assert re.findall(r'<script type="module" src="([^"]*)"></script>', page) == [
        "/static/live/assets/main-AbCd_-12.js"
    ]
    assert re.findall(r'<link rel="modulepreload" href="([^"]*)">', page) == [
        "/static/live/assets/list-AbCdEfGh.js",
        "/static/live/assets/text-AbCdEfGh.js",
    ]
    assert re.findall(r'<link rel="stylesheet" href="([^"]*)">', page) == [
        "/static/live/assets/main-12345678.css",
        "/static/live/assets/list-12345678.css",
    ]
    for file in re.findall(r'(?:href|src)="(/static/[^"]*)"', page):
        assert client.get(file).status_code == 200, file


def test_nothing_is_inline_and_nothing_may_be(client):
    response = client.get("/")

    page = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", page)
    policy = dict(rule.split(" ", 1) for rule in response["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self' ws://localhost:8000",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_it_has_the_headers_of_every_page(client):
    response = client.get("/")

    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Set-Cookie" not in response


def test_behind_tls_its_socket_is_one_behind_tls(client, settings):
    settings.USHER = settings.USHER.model_copy(update={"trusted_proxies": proxies("127.0.0.1")})

    page = client.get("/", headers={"x-forwarded-proto": "https"})

    assert "connect-src 'self' wss://localhost:8000;" in page["Content-Security-Policy"]


def test_files_that_are_named_by_their_content_are_kept_for_ever(client):
    named = client.get("/static/live/assets/main-AbCd_-12.js")
    other = client.get("/static/live/notes.txt")

    assert "immutable" in named["Cache-Control"]
    assert "immutable" not in other["Cache-Control"]
    assert "immutable" not in client.get("/static/usher/home.css")["Cache-Control"]


def test_who_takes_compressed_files_gets_them(client):
    file = "/static/live/assets/main-AbCd_-12.js"

    small, whole = client.get(file, headers={"accept-encoding": "gzip"}), client.get(file)

    assert (small["Content-Encoding"], gzip.decompress(small.content)) == ("gzip", b"smaller")
    assert "Content-Encoding" not in whole
    assert whole.content == b"/* assets/main-AbCd_-12.js */"
