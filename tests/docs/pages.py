"""The pages, as the tests read them: their examples, tables and links."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.env import PROJECT

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block: the words after the language, of which readers see nothing, and its text."""

    language: str
    words: tuple[str, ...]
    text: str

    @property
    def json(self) -> Any:
        """What it says, if it is JSON."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the headings above it, the names of its columns, and its rows, without Markdown's backticks."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return [*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md"))]


def examples(text: str, language: str | None = None) -> list[Example]:
    """Return the fenced blocks of a page, or those of one language."""
    found = []
    for info, body in FENCE.findall(text):
        name, *words = info.split() or [""]
        if language in (None, name):
            found.append(Example(name, tuple(words), body))
    return found


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", text)


def tables(text: str) -> list[Table]:
    """Return the tables of a page."""
    found: list[Table] = []
    heading, lines = "", []
    for line in [*prose(text).splitlines(), ""]:
        if line.startswith("|"):
            lines.append(_cells(line))
            continue
        if lines:
            columns, _, *rows = lines
            found.append(Table(heading, columns, tuple(rows)))
            lines = []
        if line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def table(text: str, *columns: str) -> Table:
    """Return the one table with these columns."""
    (found,) = [table for table in tables(text) if table.columns == columns]
    return found


def links(text: str) -> list[str]:
    """Return where a page's links lead, as written."""
    return LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _cells(line: str) -> tuple[str, ...]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return tuple(cell.strip().replace("`", "").replace("**", "") for cell in cells)
