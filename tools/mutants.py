"""
See whether the tests notice deliberate security bugs: put each patch of tests/mutants/ into a copy, and run them there.

    python3 tools/mutants.py [name …]

Each patch begins with a title, a sentence "Means: …" and "Tests: …", the tests that are likeliest to notice it. These
come first, the whole suite only if they do not fail. A mutant that all tests let pass, or a patch that cannot be put in
any more, is an error, with exit status 1.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PATCHES = PROJECT / "tests" / "mutants"
AT_ONCE = 2
HEADER = re.compile(r"\A(?P<title>[^\n]+)\n\nMeans: (?P<means>.+?)\nTests: (?P<tests>.+?)\n\ndiff ", re.DOTALL)
# All rows of a test: what stands in its brackets may have blanks. An ERROR is no test that failed: nothing was tried,
# since a fixture, or the import of a module, broke; a patch that does not even compile does that everywhere.
FAILED = re.compile(r"^FAILED ([^\s\[]+)", re.MULTILINE)
# Exit codes of pytest: its tests passed, one failed, it could not go on (or in several processes: a test failed, and it
# was to stop there), there is no such test.
PASSED, TESTS_FAILED, INTERRUPTED, NO_SUCH_TEST = 0, 1, 2, 4
# Of a copy they would only say that the bug is in it already.
NOT_THERE = ("--ignore=tests/mutants",)

# What takes long to install or build, and is the same for all.
BORROWED = (".venv", "tests/node/node_modules", "clients/node_modules", "clients/live/dist")

Run = Callable[[Path, tuple[str, ...]], tuple[int, str]]
"""Runs tests in a tree: no names mean all. Returns pytest's exit code and what it wrote."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug: its patch, what it is, what it would mean, and the tests that come first."""

    patch: Path
    title: str
    means: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: killed by a test, or not, and why."""

    is_killed: bool
    why: str


def mutants() -> list[Mutant]:
    """Return all of them; raises ``ValueError`` for a patch without the lines above it."""
    return [read(patch) for patch in sorted(PATCHES.glob("*.patch"))]


def read(patch: Path) -> Mutant:
    """Return a mutant; raises ``ValueError`` for a patch without the lines above it."""
    found = HEADER.match(patch.read_text())
    if found is None:
        raise ValueError(f"{patch.name} does not begin with a title, 'Means: …' and 'Tests: …', then the diff")
    return Mutant(patch, found["title"], " ".join(found["means"].split()), tuple(found["tests"].split()))


def judge(mutant: Mutant, tree: Path, run: Run) -> Verdict:
    """Put a mutant into a tree, run the tests, and say whether they noticed."""
    problem = _apply(mutant, tree)
    if problem:
        return Verdict(is_killed=False, why=f"the patch cannot be put in any more: {problem}")
    for tests in (mutant.tests, ()):
        code, output = run(tree, tests)
        failed = FAILED.search(output)
        if code in (TESTS_FAILED, INTERRUPTED) and failed is not None:
            return _confirmed(mutant, tree, run, failed[1])
        if code != PASSED and not (code == NO_SUCH_TEST and tests):
            return Verdict(
                is_killed=False, why=f"no test failed, but not all could be run (exit status {code}):\n{output[-2000:]}"
            )
    return Verdict(is_killed=False, why="no test fails")


def _confirmed(mutant: Mutant, tree: Path, run: Run, failed: str) -> Verdict:
    """Say that a mutant is killed, if the test that failed passes without it."""
    _apply(mutant, tree, "--reverse")
    code, _ = run(tree, (failed,))
    if code != PASSED:
        return Verdict(is_killed=False, why=f"{failed} fails without the bug as well")
    return Verdict(is_killed=True, why=failed)


def _apply(mutant: Mutant, tree: Path, *options: str) -> str:
    """Put a mutant in, or with ``--reverse`` take it out; returns what git says if it cannot."""
    command = ["git", "apply", *options, str(mutant.patch)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False).stderr.strip()


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests in a tree, to the first failure."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    everything = ("-n", "2", "--dist", "loadfile", *NOT_THERE)
    done = subprocess.run(
        [tree / ".venv/bin/python", "-m", "pytest", *options, *(tests or everything)],
        cwd=tree,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def copy_to(tree: Path) -> None:
    """Copy what git knows or would take, as it is now, and borrow what is installed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, tree / name)
    for installed in BORROWED:
        if (PROJECT / installed).exists():
            (tree / installed).symlink_to((PROJECT / installed).resolve())


def try_one(mutant: Mutant) -> Verdict:
    """Judge a mutant in a copy of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="usher-mutant-") as folder:
        copy_to(Path(folder))
        verdict = judge(mutant, Path(folder), run_tests)
    word = "killed  " if verdict.is_killed else "SURVIVED"
    print(f"{word} {mutant.patch.stem} ({time.monotonic() - began:.0f} s): {verdict.why}", flush=True)
    return verdict


def main(names: list[str]) -> int:
    """Try the mutants of these names, or all; return the exit status."""
    chosen = [mutant for mutant in mutants() if not names or mutant.patch.stem in names]
    if not chosen:
        print(f"none of the mutants is named {', '.join(names)}; they are in tests/mutants/")
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(try_one, chosen))
    lived = [mutant for mutant, verdict in zip(chosen, verdicts, strict=True) if not verdict.is_killed]
    print(f"{len(chosen) - len(lived)} of {len(chosen)} mutants were noticed")
    return 1 if lived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
