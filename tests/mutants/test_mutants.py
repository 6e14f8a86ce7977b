"""The patches of deliberate bugs can be put in, are explained, and what tries them tells the truth."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from config.env import PROJECT
from tests.docs.pages import table


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_mutants", PROJECT / "tools" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tool = load()
MUTANTS = tool.mutants()
each_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.patch.stem for mutant in MUTANTS])


@each_mutant
def test_a_patch_can_be_put_in(mutant, tmp_path):
    for name in re.findall(r"^\+\+\+ b/(.+)$", mutant.patch.read_text(), re.MULTILINE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)

    applied = subprocess.run(["git", "apply", mutant.patch], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert applied.returncode == 0, f"{mutant.patch.name} must follow the code that it breaks: {applied.stderr}"
    for file in tmp_path.rglob("*.py"):
        ast.parse(file.read_text(), filename=f"{file.name}, by {mutant.patch.name}")


@each_mutant
def test_the_tests_that_come_first_are_there(mutant):
    for name in mutant.tests:
        file, _, test = name.partition("::")
        assert re.search(rf"^(async )?def {test or 'test'}", (PROJECT / file).read_text(), re.MULTILINE), name


def test_there_are_at_least_ten_and_the_page_on_security_has_all():
    rows = table(
        (PROJECT / "docs" / "security.md").read_text(), "bug", "what it would mean", "which test finds it"
    ).rows

    assert len(MUTANTS) >= 10
    assert [row[:2] for row in rows] == [(f"{m.title} ({m.patch.stem})", m.means) for m in MUTANTS]
    assert [re.sub(r"\[(.+)\]\(\.\./(.+)\)", r"\2::\1", row[2]) for row in rows] == [m.tests[0] for m in MUTANTS]


@pytest.fixture
def tree(tmp_path):
    """A tree with one file, and a patch that changes it."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "door.py").write_text("is_locked = True\n")
    return tmp_path / "tree"


def mutant_of(tree: Path, old: str = "True"):
    patch = tree.parent / "open-the-door.patch"
    change = f"@@ -1 +1 @@\n-is_locked = {old}\n+is_locked = False\n"
    diff = f"diff --git a/door.py b/door.py\n--- a/door.py\n+++ b/door.py\n{change}"
    patch.write_text(
        f"Open the door\n\nMeans: anybody may come\n  in\nTests: tests/test_door.py tests/test_key.py\n\n{diff}"
    )
    return tool.read(patch)


def test_a_patch_says_what_it_is(tree):
    mutant = mutant_of(tree)

    assert (mutant.title, mutant.means) == ("Open the door", "anybody may come in")
    assert mutant.tests == ("tests/test_door.py", "tests/test_key.py")


def test_a_mutant_is_killed_by_a_test_that_fails_with_it_alone(tree):
    def run(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
        is_in = "False" in (tree / "door.py").read_text()
        assert tests in [("tests/test_door.py", "tests/test_key.py"), (), ("tests/test_lock.py::test_it_is_locked",)]
        return (int(is_in and not tests), "FAILED tests/test_lock.py::test_it_is_locked[a b] - AssertionError")

    assert tool.judge(mutant_of(tree), tree, run) == tool.Verdict(True, "tests/test_lock.py::test_it_is_locked")


def test_a_test_that_fails_anyhow_kills_nothing(tree):
    verdict = tool.judge(mutant_of(tree), tree, lambda tree, tests: (1, "FAILED tests/test_lock.py::test_flaky"))

    assert verdict == tool.Verdict(False, "tests/test_lock.py::test_flaky fails without the bug as well")


@pytest.mark.parametrize("first", [0, 4], ids=["its tests pass", "its tests are gone"])
def test_a_mutant_that_all_tests_let_pass_survives(tree, first):
    ran = []

    def run(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
        ran.append(tests)
        return (first if tests else 0), ""

    assert tool.judge(mutant_of(tree), tree, run) == tool.Verdict(False, "no test fails")
    assert ran == [("tests/test_door.py", "tests/test_key.py"), ()], "the tests that come first are not the definition"


def test_several_processes_that_stop_at_a_failure_call_it_an_interruption(tree):
    def run(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
        is_in = "False" in (tree / "door.py").read_text()
        return (2 if is_in else 0), "\nFAILED tests/test_lock.py::test_it_is_locked"

    assert tool.judge(mutant_of(tree), tree, run).is_killed


@pytest.mark.parametrize("status", [1, 2, 3])
def test_tests_that_cannot_be_run_kill_nothing(tree, status):
    """A patch that does not compile breaks every fixture that starts a server: that is pytest's status 1."""

    def run(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
        is_in = "False" in (tree / "door.py").read_text()
        return (status if is_in else 0), "\nERROR tests/test_lock.py::test_it_is_locked - DidNotStart"

    verdict = tool.judge(mutant_of(tree), tree, run)

    assert not verdict.is_killed
    assert f"no test failed, but not all could be run (exit status {status})" in verdict.why


def test_a_test_that_fails_after_one_that_could_not_be_run_kills(tree):
    def run(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
        is_in = "False" in (tree / "door.py").read_text()
        return int(is_in), "\nERROR tests/test_door.py::test_open\nFAILED tests/test_lock.py::test_it_is_locked"

    assert tool.judge(mutant_of(tree), tree, run) == tool.Verdict(True, "tests/test_lock.py::test_it_is_locked")


def test_a_patch_that_does_not_fit_any_more_is_an_error(tree):
    verdict = tool.judge(mutant_of(tree, old="Maybe"), tree, lambda tree, tests: (1, ""))

    assert not verdict.is_killed
    assert "cannot be put in any more" in verdict.why
