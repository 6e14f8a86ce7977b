"""What the experiments have measured, and the page that is made of it: docs/guarantees-report.md."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from accounts.hashing import BoundedArgon2
from config.env import PROJECT
from tests.hashing import QuickArgon2
from tests.services.postgres import OPTIONS

VARIABLE = "FAULTS_REPORT"
KEEP_VARIABLE = "FAULTS_KEEP"
Conclude = Callable[..., None]
AGAIN = ", again and alone, of "
HEAD = ("experiment", "what was done", "must hold", "measured", "holds", "seed", "at (UTC)")


def commit_tried() -> str:
    """Return which commit is tried, and whether anything but the report differs from it."""

    def git(*command: str) -> str:
        done = subprocess.run(["git", *command], cwd=PROJECT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/guarantees-report.md")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if changed else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One experiment's result. ``bound`` says what must hold, in words; ``measured`` what was seen, by name."""

    experiment: str
    done: str
    bound: str
    measured: dict[str, object]
    seed: int
    holds: bool
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def row(self, *, addition: str = "") -> str:
        """Return it as a row of the report's table; ``addition`` is said of when it was measured."""
        measured = "; ".join(f"{name} {value}" for name, value in self.measured.items())
        verdict = "yes" if self.holds else "**NO**"
        at = f"{self.at:%m-%d %H:%M}{addition}"
        return _row(self.experiment, self.done, self.bound, measured, verdict, str(self.seed), at)


@dataclass(slots=True)
class Report:
    """All findings of a run; or those of an earlier, whole one, some of which this one has measured again."""

    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    commit: str = field(default_factory=commit_tried)
    findings: list[Finding] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    """The earlier run's rows."""
    kept_head: tuple[str, ...] = ()
    """What the earlier page says of its run."""

    def note(self, finding: Finding) -> None:
        """Keep a finding, whether its bound holds or not: a report that left out its failures would be none."""
        self.findings.append(finding)
        write_if_asked(self)  # at once, so that a run that is cut off has told what it knew

    def page(self) -> str:
        """Return the report as a page of Markdown."""
        own = {finding.experiment for finding in self.findings}
        addition = f"{AGAIN}{self.commit}" if self.kept else ""
        rows = [row for row in self.kept if _experiment_of(row) not in own]
        rows = sorted([*rows, *(finding.row(addition=addition) for finding in self.findings)], key=_experiment_of)
        lines = [
            "# Guarantees: what the last long run has measured",
            "",
            "Made by `make faults`; do not edit. What is promised, and how it is held, is in"
            " [guarantees.md](guarantees.md).",
            "",
            *(self.kept_head or self._head()),
            f"- Experiments: {len(rows)}; bounds broken: {sum('**NO**' in row for row in rows)};"
            f" run again and alone since, as these rows say: {sum(AGAIN in row for row in rows)}",
            "",
            _row(*HEAD),
            "|---" * len(HEAD) + "|",
            *rows,
            "",
            "Repeat one: `FAULTS=long FAULTS_SEED=<seed> pytest tests/faults -k <name>`. To put its row into this page,"
            " the others kept: `FAULTS_KEEP=1 make faults ARGS='-k <name>'`.",
            "",
        ]
        return "\n".join(lines)

    def _head(self) -> list[str]:
        """Return what was run, when and how, a line each."""
        now = datetime.now(UTC)
        minutes = (now - self.began_at).total_seconds() / 60
        own, real = QuickArgon2, BoundedArgon2
        return [
            f"- Run: {self.began_at:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes in all,"
            f" of commit {self.commit}.",
            f"- Machine: {os.cpu_count()} cores, {_memory_gib()} GiB, {platform.system()} {platform.release()},"
            f" Python {platform.python_version()}. Servers, PostgreSQL, Redis and all clients share it.",
            f"- PostgreSQL: fsync {OPTIONS['fsync']}, full_page_writes {OPTIONS['full_page_writes']}. What it has"
            " committed survives its own end, not the machine's; a commit waits for no disk.",
            f"- Passwords: hashed in {own.memory_cost} KiB and {own.time_cost} pass, where the product takes"
            f" {real.memory_cost:,} KiB and {real.time_cost} passes. Sign-ups and log-ins cost a fraction"
            " of what they do there.",
        ]


def report_asked_for() -> Report:
    """Return a new report, with the rows of the page that is there if the environment asks to keep them."""
    page = Path(os.environ.get(VARIABLE, ""))
    if not os.environ.get(KEEP_VARIABLE) or not page.is_file():
        return Report()
    lines = page.read_text().splitlines()
    head = (line for line in lines if line.startswith("- ") and not line.startswith("- Experiments: "))
    return Report(kept=tuple(_rows(lines)), kept_head=tuple(head))


@contextmanager
def concluding(report: Report, *, name: str, seed: int) -> Iterator[Conclude]:
    """Hand out what notes an experiment's result; one of that name that ends without any is noted as broken."""
    has_concluded = False

    def conclude(experiment: str, *, done: str, bound: str, measured: dict[str, object], holds: bool) -> None:
        nonlocal has_concluded
        has_concluded = True
        report.kept = tuple(row for row in report.kept if _experiment_of(row) != name)  # there was no result before
        report.note(Finding(experiment, done, bound, measured, seed, holds))
        assert holds, f"{experiment} ({done}): must hold: {bound}; measured: {measured}; seed {seed}"

    yield conclude
    if not has_concluded:
        report.note(Finding(name, "ended without a result", "a result", {}, seed, holds=False))


def write_if_asked(report: Report) -> None:
    """Write the page where the environment says, if it says so."""
    asked = os.environ.get(VARIABLE)
    if asked:
        Path(asked).write_text(report.page())


def _rows(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.startswith("| ")][1:]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _experiment_of(row: str) -> str:
    return row.split("|")[1].strip()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
