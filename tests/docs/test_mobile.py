"""The page for phones shows the clients as they are."""

import re
from pathlib import Path

import pytest

from config.env import PROJECT
from tests.docs.pages import examples

PAGE = (PROJECT / "docs" / "mobile.md").read_text()
CLIENTS = PROJECT / "clients" / "mobile"
SHOWN = {
    word.removeprefix("file="): example.text
    for example in examples(PAGE)
    for word in example.words
    if word.startswith("file=")
}
FROM_A_TERMINAL = {"Demo.kt", "main.swift"}


def sources() -> list[str]:
    """Return every file of the small clients but their settings and what tries them from a terminal."""
    found = [file for file in CLIENTS.rglob("*.*") if file.suffix in {".kt", ".swift", ".ts", ".tsx"}]
    return sorted(str(file.relative_to(PROJECT)) for file in found if file.name not in FROM_A_TERMINAL)


def test_every_file_is_on_the_page():
    assert sorted(SHOWN) == sources()


@pytest.mark.parametrize("name", sources())
def test_a_file_is_shown_as_it_stands(name):
    assert SHOWN[name] == Path(PROJECT / name).read_text(), f"copy {name} into docs/mobile.md"


def test_what_the_page_names_beside_them_is_there():
    assert {file.name for file in CLIENTS.rglob("*") if file.name in FROM_A_TERMINAL} == FROM_A_TERMINAL
    assert {f"`{name}`" for name in FROM_A_TERMINAL} <= set(re.findall(r"`[^`\n]+`", PAGE))
