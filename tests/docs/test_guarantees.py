"""The page of guarantees: each promise has a mechanism, tests and an experiment, and the report has tried them all."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from config.env import PROJECT
from tests.faults.scale import Scale

PAGE = (PROJECT / "docs" / "guarantees.md").read_text()
REPORT = PROJECT / "docs" / "guarantees-report.md"
MADE_UP = PROJECT / "tests" / "faults" / "test_report.py"
"""Its experiments are made up."""
EXPERIMENT = re.compile(r"conclude\(\s*(?:experiment=)?f?\"([^\"]+)\"")


def promises() -> list[list[str]]:
    """Return the cells of each promise: promise, sentence, held by, watched by, tried by."""
    (section,) = re.findall(r"^## What is promised\n(.*?)^### ", PAGE, re.DOTALL | re.MULTILINE)
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def experiments() -> set[str]:
    """Return the names of the experiments in the code; what a name ends with when it is made may differ by run."""
    sources = set((PROJECT / "tests" / "faults").rglob("test_*.py")) - {MADE_UP}
    return {name.partition("{")[0].strip(" ,:(") for file in sources for name in EXPERIMENT.findall(file.read_text())}


def fell_short() -> str:
    """Return what the page says of broken bounds, in one line, or nothing if there were none to tell of."""
    found = re.findall(r"^## Where the last long runs fell short\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    return " ".join(" ".join(found).split())


def bounds() -> list[tuple[str, str]]:
    """Return (name, promise) of each experiment as its code writes them in the long form, both as patterns."""
    found = []
    for file in sorted(set((PROJECT / "tests" / "faults").glob("test_*.py")) - {MADE_UP}):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "conclude":
                bound = next(keyword.value for keyword in call.keywords if keyword.arg == "bound")
                found.append((_pattern(call.args[0], file), _pattern(bound, file)))
    return found


def _pattern(text: ast.expr, file: Path) -> str:
    """Return a pattern for what an expression gives: anything stands for what is known only while its test runs."""
    match text:
        case ast.JoinedStr(values=parts):
            return "".join(_pattern(part, file) for part in parts)
        case ast.FormattedValue(value=value):
            return _pattern(value, file)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _pattern(left, file) + _pattern(right, file)
    module = importlib.import_module(f"tests.faults.{file.stem}")
    names: dict[str, Any] = {**vars(module), "scale": Scale(is_long=True)}
    try:
        return re.escape(str(eval(ast.unparse(text), names)))
    except NameError:
        return ".+"


def test_there_is_a_row_for_each_section():
    (section,) = re.findall(r"^## What is promised\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)

    assert len(promises()) >= len(re.findall(r"^### ", section, re.MULTILINE)) > 5


@pytest.mark.parametrize("row", promises(), ids=lambda row: row[0])
def test_a_promise_is_held_by_files_and_watched_by_tests_that_are_there(row):
    _, _, held, watched, _ = row

    assert re.findall(r"\]\(\.\./[\w/]+\.py\)", held), "no file holds it"
    tests = re.findall(r"\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)", watched)
    assert tests, "no test watches it"
    for name, file in tests:
        assert re.search(rf"^(async )?def {name}\(", (PROJECT / file).read_text(), re.MULTILINE), name


def test_each_promise_is_tried_by_an_experiment_and_each_experiment_tries_one():
    tried = {name for *_, names in promises() for name in names.split("; ")}

    assert tried == experiments()


def test_the_report_is_of_these_experiments_and_what_broke_is_told_on_the_page():
    report = REPORT.read_text()
    rows = [line for line in report.splitlines() if line.startswith("| ")][1:]
    names = {row.split("|")[1].strip(): "**NO**" in row for row in rows}
    short = fell_short()

    assert [name for name in names if not any(name.startswith(known) for known in experiments())] == []
    assert f"bounds broken: {sum(names.values())}" in report
    assert [name for name, is_broken in names.items() if is_broken and name not in short] == []
    assert [
        known for known in experiments() if known not in short and not any(n.startswith(known) for n in names)
    ] == []


def test_the_report_has_the_promises_of_the_code_or_the_page_says_that_they_are_older():
    rows = [
        [cell.strip() for cell in row.split("|")] for row in REPORT.read_text().splitlines() if row.startswith("| ")
    ]
    short = fell_short()
    asked = bounds()

    older = [
        row[1]
        for row in rows[1:]
        if not any(re.fullmatch(name, row[1]) and re.fullmatch(bound, row[3]) for name, bound in asked)
    ]

    assert len(asked) >= len(experiments()) > 15
    assert [name for name, bound in asked if bound == ".+"] == [], "a promise that only a run knows cannot be compared"
    assert [name for name in older if name not in short] == []
