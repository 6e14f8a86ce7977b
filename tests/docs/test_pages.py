"""All pages: where their links lead, and whether what they name is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from config.env import ENV_FILE, PROJECT, expectations
from tests.docs.pages import anchors, examples, links, pages, prose

PAGES = [str(page.relative_to(PROJECT)) for page in pages()]
SOURCES = ("accounts", "clients", "config", "realtime", "tenants", "tests", "tools")
VARIABLES = {*expectations(), ENV_FILE, "USHER_PASSWORD", "FAULTS", "FAULTS_SEED"}
ENVIRONMENT = re.compile(r"(\w+)=(\S+) ")


def text_of(name: str) -> str:
    """Return a page."""
    return (PROJECT / name).read_text()


def commands() -> list[tuple[str, str]]:
    """Return every shell command of every page, with the page it is on."""
    return [
        (name, line.partition(" # ")[0].strip())
        for name in PAGES
        for example in examples(text_of(name))
        if example.language in ("", "sh")
        for line in re.sub(r"\\\n\s*", "", example.text).splitlines()
        if re.match(r"(\w+=\S+ )*(make|\.venv/bin/python|python3) ", line)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = PROJECT / name
    lost = []
    for link in links(text_of(name)):
        if re.match(r"\w+://", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            lost.append(link)

    assert lost == []


@pytest.mark.parametrize("name", PAGES)
def test_files_that_are_named_are_there(name):
    named = re.findall(rf"(?<![\w/.])((?:{'|'.join(SOURCES)})/[\w/-]*(?:\.\w+)*)", prose(text_of(name)))

    assert [path for path in named if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_modules_and_what_is_in_them_are_there(name):
    dotted = re.findall(rf"`((?:{'|'.join(SOURCES)})(?:\.[A-Za-z_]+)+)(?:\(\))?`", prose(text_of(name)))

    assert [path for path in dotted if not _is_there(path.split("."))] == []


def _is_there(parts: list[str]) -> bool:
    """Tell whether a dotted path leads to a file, or to a name that its text defines."""
    for end in range(len(parts), 0, -1):
        base = PROJECT.joinpath(*parts[:end])
        rest = parts[end:]
        if base.with_suffix(".py").is_file():
            return not rest or _defines(base.with_suffix(".py"), rest[-1])
        if base.is_dir() and not rest:
            return True
    return False


def _defines(file: Path, name: str) -> bool:
    return re.search(rf"^\s*(?:class|def|async def) {name}\b|^{name}\b", file.read_text(), re.MULTILINE) is not None


def test_there_are_commands_on_the_pages():
    assert len(commands()) > 10


@pytest.mark.parametrize(("name", "line"), commands())
def test_a_command_can_be_given_as_it_stands(name, line):
    while found := ENVIRONMENT.match(line):
        assert found[1] in VARIABLES, f"{name}: {found[1]}"
        line = line[found.end() :]
    program, *arguments = shlex.split(line)
    if program == "make":
        targets = [argument for argument in arguments if "=" not in argument]
        assert subprocess.run(["make", "-n", *targets], cwd=PROJECT, capture_output=True, check=False).returncode == 0
    elif arguments[0] == "manage.py":
        _, command, *options = arguments
        # Raises for an option or argument that the command does not take.
        load_command_class(get_commands()[command], command).create_parser("manage.py", command).parse_args(options)
    elif arguments[0] != "-c":
        assert (PROJECT / arguments[0]).is_file(), line


@pytest.mark.parametrize("name", PAGES)
def test_paths_of_the_api_are_there(name):
    calls = re.findall(r"`(?:GET|POST|PATCH|DELETE) (/[^`?]*)", prose(text_of(name)))

    assert [path for path in calls if path != "/ws/user_notifications/" and not _is_served(path)] == []


def _is_served(path: str) -> bool:
    try:
        resolve(re.sub(r"\{[^}]*\}", "01a2060e-0000-7000-8000-000000000000", path))
    except Resolver404:
        return False
    return True


def test_records_of_decisions_are_numbered_dated_and_listed():
    records = sorted((PROJECT / "docs" / "adr").glob("*.md"))
    listed = links(text_of("docs/architecture.md"))

    for number, record in enumerate(records, start=1):
        assert record.name.startswith(f"{number:04}-")
        title, blank, status, *_ = record.read_text().splitlines()
        assert title.startswith(f"# {number:04}: ")
        assert blank == ""
        assert re.fullmatch(r"\d{4}-\d\d-\d\d · (accepted|superseded by \[\d{4}\]\(.+\))", status), record.name
        assert f"adr/{record.name}" in listed


def test_what_a_record_reproduces_happens():
    (script,) = examples(text_of("docs/adr/0002-rights-counter-by-triggers.md"), "python")

    said = subprocess.run([sys.executable, "-c", script.text], capture_output=True, text=True, check=True).stdout

    version, counter = said.split()
    assert re.fullmatch(r"3\.\d+\.\d+", version)
    assert counter == "1", "two of three bumps are lost without an error"
