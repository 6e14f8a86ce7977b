"""The page of guarantees: each promise has a mechanism, tests and an experiment, and the report has tried them all."""

import re

import pytest

from config.env import PROJECT

PAGE = (PROJECT / "docs" / "guarantees.md").read_text()
REPORT = PROJECT / "docs" / "guarantees-report.md"
EXPERIMENT = re.compile(r"conclude\(\s*(?:experiment=)?f?\"([^\"]+)\"")


def promises() -> list[list[str]]:
    """Return the cells of each promise: promise, sentence, held by, watched by, tried by."""
    (section,) = re.findall(r"^## What is promised\n(.*?)^### ", PAGE, re.DOTALL | re.MULTILINE)
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def experiments() -> set[str]:
    """Return the names of the experiments in the code; what a name ends with when it is made may differ by run."""
    sources = set((PROJECT / "tests" / "faults").rglob("test_*.py")) - {PROJECT / "tests" / "faults" / "test_report.py"}
    return {name.partition("{")[0].strip(" ,:(") for file in sources for name in EXPERIMENT.findall(file.read_text())}


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
    (short,) = re.findall(r"^## Where the last long runs fell short\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)

    assert [name for name in names if not any(name.startswith(known) for known in experiments())] == []
    assert f"bounds broken: {sum(names.values())}" in report
    assert [name for name, is_broken in names.items() if is_broken and name not in short] == []
    assert [
        known for known in experiments() if known not in short and not any(n.startswith(known) for n in names)
    ] == []
