"""The report is made of what was measured, broken bounds included."""

import pytest

from tests.faults.report import Finding, Report, write_if_asked
from tests.faults.scale import Scale, scale_asked_for, seed_asked_for


def finding(*, holds: bool) -> Finding:
    return Finding("freezing Redis", "5 s, twice", "0 lost", {"lost": int(not holds)}, seed=7, holds=holds)


def test_it_names_experiment_bound_measure_verdict_and_seed():
    report = Report()

    report.note(finding(holds=True))

    assert "| freezing Redis | 5 s, twice | 0 lost | lost 0 | yes | 7 |" in report.page()


def test_a_broken_bound_stands_out():
    report = Report()

    report.note(finding(holds=False))

    assert "| lost 1 | **NO** | 7 |" in report.page()
    assert "bounds broken: 1" in report.page()


def test_it_is_written_only_where_asked(monkeypatch, tmp_path):
    monkeypatch.delenv("FAULTS_REPORT", raising=False)
    write_if_asked(Report())
    monkeypatch.setenv("FAULTS_REPORT", str(tmp_path / "report.md"))

    write_if_asked(Report())

    assert (tmp_path / "report.md").read_text().startswith("# Guarantees")


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
