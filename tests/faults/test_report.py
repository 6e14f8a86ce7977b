"""The report is made of what was measured, broken bounds included."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from config.env import PROJECT
from tests.durations import told_of
from tests.faults.report import Finding, Report, concluding, report_asked_for, write_if_asked
from tests.faults.scale import Scale, scale_asked_for, seed_asked_for


def finding(experiment="Freezing Redis", *, holds: bool) -> Finding:
    return Finding(experiment, "5 s, twice", "0 lost", {"lost": int(not holds)}, seed=7, holds=holds)


def test_it_names_experiment_bound_measure_verdict_and_seed():
    report = Report()

    report.note(finding(holds=True))

    assert "| Freezing Redis | 5 s, twice | 0 lost | lost 0 | yes | 7 | " in report.page()


def test_its_head_names_the_commit_the_time_the_machine_and_what_is_cheaper_than_in_production():
    report = Report()
    report.note(finding(holds=True))
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.strip()

    head = [line for line in report.page().splitlines() if line.startswith("- ")]

    assert re.fullmatch(
        rf"- Run: {report.began_at:%Y-%m-%d %H:%M} to [-\d]+ [:\d]+ UTC, \d+ minutes in all, of commit "
        rf"{commit or 'unknown'}( with changes)?\.",
        head[0],
    )
    assert re.match(r"- Machine: \d+ cores, \d+ GiB, ", head[1])
    assert head[2].startswith("- PostgreSQL: fsync off, full_page_writes off.")
    assert head[3].startswith(
        "- Passwords: hashed in 8 KiB and 1 pass, where the product takes 102,400 KiB and 2 passes."
    )
    assert head[4:] == ["- Experiments: 1; bounds broken: 0; run again and alone since, as these rows say: 0"]


def test_a_broken_bound_stands_out():
    report = Report()

    report.note(finding(holds=False))

    assert "| lost 1 | **NO** | 7 | " in report.page()
    assert "bounds broken: 1" in report.page()


def test_it_is_written_only_where_asked(monkeypatch, tmp_path):
    monkeypatch.delenv("FAULTS_REPORT", raising=False)
    write_if_asked(Report())
    monkeypatch.setenv("FAULTS_REPORT", str(tmp_path / "report.md"))

    write_if_asked(Report())

    assert (tmp_path / "report.md").read_text().startswith("# Guarantees")


def test_one_more_run_replaces_its_own_rows_and_keeps_the_others_if_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("FAULTS_REPORT", str(tmp_path / "report.md"))
    first = report_asked_for()
    first.note(finding("Freezing Redis", holds=False))
    first.note(finding("Killing servers", holds=False))
    (tmp_path / "report.md").write_text(first.page().replace("of commit ", "of commit 0123456789ab, not "))
    monkeypatch.setenv("FAULTS_KEEP", "1")

    again = report_asked_for()
    again.note(finding("Freezing Redis", holds=True))

    page = (tmp_path / "report.md").read_text()
    assert "- Experiments: 2; bounds broken: 1; run again and alone since, as these rows say: 1" in page
    assert page.count("minutes in all, of commit 0123456789ab, not ") == 1, "the head is the whole run's"
    assert [line for line in page.splitlines() if ", again and alone, of " in line] == [
        line for line in page.splitlines() if line.startswith("| Freezing Redis") and again.commit in line
    ]
    assert "| Freezing Redis | 5 s, twice | 0 lost | lost 0 | yes |" in page
    assert "| Killing servers | 5 s, twice | 0 lost | lost 1 | **NO** |" in page


def test_what_is_not_to_be_kept_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("FAULTS_REPORT", str(tmp_path / "report.md"))
    monkeypatch.delenv("FAULTS_KEEP", raising=False)
    report_asked_for().note(finding("Killing servers", holds=False))

    report_asked_for().note(finding("Freezing Redis", holds=True))

    assert "Killing servers" not in (tmp_path / "report.md").read_text()


def test_an_experiment_that_ends_without_a_result_stands_in_the_report():
    report = Report()

    with concluding(report, name="test_it", seed=7):
        pass

    assert "| test_it | ended without a result | a result |  | **NO** | 7 |" in report.page()


def test_a_result_takes_the_place_of_none():
    before = Report()
    with concluding(before, name="test_it", seed=7):
        pass
    again = Report(kept=tuple(line for line in before.page().splitlines() if line.startswith("| test_it |")))

    with concluding(again, name="test_it", seed=8) as conclude:
        conclude("Killing servers", done="2 kills", bound="0 lost", measured={"lost": 0}, holds=True)

    assert "test_it" not in again.page()
    assert "| Killing servers | 2 kills |" in again.page()


def test_a_bound_that_does_not_hold_fails_and_is_noted():
    report = Report()

    with (
        pytest.raises(
            AssertionError, match=r"Killing servers \(2 kills\): must hold: 0 lost; measured: {'lost': 3}; seed 7"
        ),
        concluding(report, name="test_it", seed=7) as conclude,
    ):
        conclude("Killing servers", done="2 kills", bound="0 lost", measured={"lost": 3}, holds=False)

    assert [finding.experiment for finding in report.findings] == ["Killing servers"]


def test_scale_and_seed_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("FAULTS", "long")
    monkeypatch.setenv("FAULTS_SEED", "42")

    assert scale_asked_for().of(short=1, long=9) == 9
    assert seed_asked_for() == 42


def test_short_is_the_default_and_anything_else_is_an_error(monkeypatch):
    monkeypatch.delenv("FAULTS", raising=False)
    assert scale_asked_for() == Scale(is_long=False)

    monkeypatch.setenv("FAULTS", "huge")
    with pytest.raises(ValueError, match="FAULTS is 'huge'; expected short or long"):
        scale_asked_for()


def test_the_end_of_a_run_tells_how_long_the_experiments_took():
    reports = [
        SimpleNamespace(nodeid=f"tests/{folder}/test_x.py::test_y", when=when, duration=seconds)
        for folder, when, seconds in (("faults", "setup", 1.5), ("faults", "call", 20), ("stories", "call", 99))
    ]

    assert told_of({"": reports[:1], "passed": reports[1:], "warnings": [object()]}) == (
        "tests/faults: 1 test, 22 s one after the other"
    )
    assert told_of({"passed": reports[2:]}) == ""
