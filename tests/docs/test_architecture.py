"""The architecture's page: the way of an event, the rules with their tests, and the numbers of what breaks."""

import re
from importlib import import_module

from config import handler
from config.databases import POOL
from config.env import PROJECT, Environment
from realtime import connection, draining, hearing, hub, lookups
from realtime.serving.limits import Limits
from tests.docs.pages import prose, tables

PAGE = (PROJECT / "docs" / "architecture.md").read_text()
FILE = re.compile(r"\]\(\.\./([\w/]+)\.py\)((?: `[\w.]+`)*)")


def rows_under(heading: str) -> list[str]:
    """Return the rows of the tables in a section, as written."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def test_the_way_of_an_event_is_five_files_with_what_is_named_in_them():
    rows = rows_under("The way of an event")

    assert len(rows) == 5
    for row in rows:
        for path, names in FILE.findall(row):
            module = import_module(path.replace("/", "."))
            for name in re.findall(r"`([\w.]+)`", names):
                assert hasattr(module, name), f"{path}.py has no {name}"
    assert all(re.search(FILE.pattern.replace("*)", "+)"), row) for row in rows), "each row names a function or class"


def test_each_rule_is_numbered_and_its_tests_are_there():
    rows = rows_under("What must stay true")

    assert [row.split("|")[1].strip() for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    for row in rows:
        *_, held, watched, _ = row.split("|")
        assert "](../" in held
        tests = re.findall(r"\[(\w+)\]\(\.\./(tests/[\w/]+\.py)\)", watched)
        assert tests, row
        for name, file in tests:
            assert re.search(rf"^(async )?def {name}\(", (PROJECT / file).read_text(), re.MULTILINE), name


def test_every_module_of_realtime_has_its_place():
    unnamed = {"__init__", "apps", "checks", "identity", "draining"}
    modules = {file.stem for file in (PROJECT / "realtime").glob("*.py")} - unnamed

    assert modules <= set(re.findall(r"\]\(\.\./realtime/(\w+)\.py\)", PAGE))


def test_the_apps_are_in_the_order_of_the_contract():
    contract = (PROJECT / "pyproject.toml").read_text()
    (order,) = re.findall(r"`(config > [^`]+)`", PAGE)

    (layers,) = re.findall(r'^layers = \["config"(.*)\]$', contract, re.MULTILINE)
    assert order.split(" > ") == ["config", *re.findall(r'"(\w+)', layers)]


def test_threads_have_the_names_that_the_code_gives_them():
    named = set(re.findall(r"`(usher-\w+)`", PAGE))
    source = "".join(file.read_text() for app in ("realtime", "config") for file in (PROJECT / app).glob("*.py"))

    assert named == set(re.findall(r'(?:thread_name_prefix|name)="(usher-\w+)"', source))
    assert lookups._pool._max_workers == 2
    assert "two threads (`usher-admission`)" in prose(PAGE)
    assert f"a pool of at most {POOL['max_size']} connections" in prose(PAGE)
    assert handler.KEPT == POOL["max_size"] == 20
    assert "twenty are kept (`usher-request`)" in prose(PAGE)


def test_the_times_are_those_of_the_code():
    limits, sweep = Limits(), Environment.model_fields["sweep_seconds"].default
    said = " ".join(row for table in tables(PAGE) for cells in table.rows for row in cells)

    for phrase in (
        f"within {sweep} s and a batch",
        f"again every {hearing.REJOIN_SECONDS:g} s",
        f"stay for {hub.BLIND_SECONDS:g} s",
        f"at most {hub.RETRY_SECONDS[1]:g} s apart",
        f"spread over {draining.SPREAD_SECONDS:g} s",
        f"ends within {limits.exit_seconds} s",
        f"after {connection.MOST_FRAMES} frames or {connection.MOST_BYTES // 1024} KiB",
        f"4002 after {connection.STALL_SECONDS:g} s",
        f"after {limits.silence_seconds} s of no acknowledgement",
        f"ends the process after {limits.exit_seconds} s",
    ):
        assert phrase in said, phrase
