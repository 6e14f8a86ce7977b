"""The small clients for phones are what their languages understand; docs/mobile.md says how they were compiled."""

from collections.abc import Iterator

import pytest
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Node, Parser

from config.env import PROJECT

LANGUAGES = {".kt": Language(tree_sitter_kotlin.language()), ".swift": Language(tree_sitter_swift.language())}
SOURCES = sorted(
    str(file.relative_to(PROJECT)) for file in (PROJECT / "clients" / "mobile").rglob("*.*") if file.suffix in LANGUAGES
)


def faults(node: Node) -> Iterator[str]:
    """Yield where a parser stumbled, and over what."""
    if node.is_error or node.is_missing:
        yield f"line {node.start_point.row + 1}: {(node.text or b'').decode()[:80]}"
    for child in node.children:
        yield from faults(child)


def test_there_are_some():
    assert {name.rpartition(".")[2] for name in SOURCES} == {"kt", "swift"}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_can_be_parsed(name):
    source = PROJECT / name
    tree = Parser(LANGUAGES[source.suffix]).parse(source.read_bytes())

    assert list(faults(tree.root_node)) == []


def test_what_is_no_kotlin_cannot_be_parsed():
    tree = Parser(LANGUAGES[".kt"]).parse(b"fun (((\n")

    assert list(faults(tree.root_node)) != []
