"""What the experiments have measured, and the page that is made of it: docs/guarantees-report.md."""

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "FAULTS_REPORT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One experiment's result. ``bound`` says what must hold, in words; ``measured`` what was seen, by name."""

    experiment: str
    done: str
    bound: str
    measured: dict[str, object]
    seed: int
    holds: bool


@dataclass(slots=True)
class Report:
    """All findings of a run."""

    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    findings: list[Finding] = field(default_factory=list)

    def note(self, finding: Finding) -> None:
        """Keep a finding, whether its bound holds or not: a report that left out its failures would be none."""
        self.findings.append(finding)

    def page(self) -> str:
        """Return the report as a page of Markdown."""
        minutes = (datetime.now(UTC) - self.began_at).total_seconds() / 60
        failed = sum(not finding.holds for finding in self.findings)
        lines = [
            "# Guarantees: what the last long run has measured",
            "",
            "Made by `make faults`; do not edit. What is promised, and how it is held, is in"
            " [guarantees.md](guarantees.md).",
            "",
            f"- When: {self.began_at:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes",
            f"- Machine: {os.cpu_count()} cores, {_memory_gib()} GiB, {platform.system()} {platform.release()},"
            f" Python {platform.python_version()}",
            f"- Experiments: {len(self.findings)}; bounds broken: {failed}",
            "",
            "| experiment | what was done | must hold | measured | holds | seed |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {f.experiment} | {f.done} | {f.bound} | {_facts(f.measured)} | {'yes' if f.holds else '**NO**'} |"
            f" {f.seed} |"
            for f in sorted(self.findings, key=lambda finding: finding.experiment)
        ]
        return "\n".join(
            [*lines, "", "Repeat one: `FAULTS=long FAULTS_SEED=<seed> pytest tests/faults -k <name>`.", ""]
        )


def write_if_asked(report: Report) -> None:
    """Write the page where the environment says, if it says so."""
    asked = os.environ.get(VARIABLE)
    if asked:
        Path(asked).write_text(report.page())


def _facts(measured: dict[str, object]) -> str:
    return "; ".join(f"{name} {value}" for name, value in measured.items())


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
