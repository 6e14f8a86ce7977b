"""bench/README.md is rendered from results, and says what holds and what does not."""

import json

import pytest

from bench import figures, report
from bench.criteria import CRITERIA
from bench.report import newest, rendered
from bench.shapes.all import SHAPES
from bench.tables import COLUMNS, table, together

MACHINE = {
    "processor": "AMD EPYC",
    "cores": 2,
    "memory_gib": 24,
    "kernel": "6.18",
    "python": "3.11.7",
    "commit": "abc1234",
    "packages": {"django": "5.2"},
}


def row(system, cpu_us, shape="thousand", **more):
    return {
        "shape": shape,
        "system": system,
        "round": 0,
        "groups": 1,
        "each": 1000,
        "window": 8,
        "cpu_us": cpu_us,
        "cpu_us_with_idle": cpu_us,
        "per_second": 1e6 / cpu_us,
        "latency_ms": {"p50": 3.0, "p95": 5.0, "p99": 9.0},
        "lost": 0,
        "at": "06:00:00",
    } | more


def results(*rows, **more):
    return {
        "date": "2026-11-26 06:00",
        "minutes": 24.5,
        "command": "python -m bench",
        "machine": MACHINE,
        "problems": [],
        "unavailable": {},
        "rows": list(rows),
        "file": "results/2026-11-26-0600.json",
    } | more


def line_of(page, beginning):
    return next(line for line in page.splitlines() if line.startswith(f"| {beginning}"))


def test_rounds_are_brought_together_by_medians_and_losses_are_added():
    (one,) = together([row("nchan", 5.0, lost=1), row("nchan", 7.0, lost=2), row("nchan", 30.0)])
    assert (one["cpu_us"], one["lost"], one["rounds"], one["latency_ms.p99"]) == (7.0, 3, 3, 9.0)


def test_a_promise_holds_or_does_not():
    usher, tutorial = row("Usher, uvicorn, lane", 5.0), row("tutorial, uvicorn", 260.0)
    beginning = "CPU per delivery, the tutorial's of ours, N=1,000, W=8, lane"

    assert line_of(rendered(results(usher, tutorial)), beginning).endswith("| 52.0× | yes, and what we reach for |")
    assert line_of(rendered(results(usher, tutorial | {"cpu_us_with_idle": 205.0})), beginning).endswith(
        "| 41.0× | yes |"
    )
    assert line_of(rendered(results(usher, tutorial | {"cpu_us_with_idle": 100.0})), beginning).endswith(
        "| 20.0× | **no** |"
    )
    assert line_of(rendered(results(usher)), beginning).endswith("| not measured | |")


def test_a_loss_is_seen_in_the_promises_and_in_what_went_wrong():
    page = rendered(results(row("Usher, uvicorn", 10.0, lost=2), problems=["thousand, Usher, uvicorn: {'lost': 2}"]))

    assert line_of(page, "lost, repeated").endswith("| 2.00 | **no** |")
    assert "## What went wrong" in page
    assert "- thousand, Usher, uvicorn: {'lost': 2}" in page


def test_a_core_is_said_to_be_kept_awake_where_it_was():
    rows = [row("C floor", 4.0)]

    assert "keeps it from sleeping" in rendered(results(*rows) | {"is_kept_awake": True})
    assert "sleeping" not in rendered(results(*rows) | {"is_kept_awake": False})
    assert "sleeping" not in rendered(results(*rows))  # those from before


def test_a_table_has_the_columns_that_have_numbers():
    lines = table("thousand", together([row("C floor", 4.1), row("nchan", 5.0, window=1)]))
    assert lines[0] == "| | W | deliveries/s | CPU µs | with idle | p50 ms | p95 ms | p99 ms | lost |"
    assert lines[2] == "| C floor | 8 | 243,902 | 4.10 | 4.10 | 3.00 | 5.00 | 9.00 | 0 |"
    assert lines[3].startswith("| nchan | 1 | 200,000 | 5.00 |")


def test_every_shape_has_columns_and_its_question_on_the_page():
    page = rendered(results(*(row("Usher, uvicorn, lane", 5.0, shape=shape.name) for shape in SHAPES)))
    for shape in SHAPES:
        assert COLUMNS[shape.name]
        assert f"## {shape.question}\n\n{shape.method}" in page


def test_every_promise_is_on_the_page_once():
    page = rendered(results(row("C floor", 4.0)))
    names = [criterion.name for criterion in CRITERIA]
    assert len(set(names)) == len(names)
    assert all(page.count(f"| {name} |") == 1 for name in names)


def test_page_and_picture_are_written_from_the_newest_results(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(report, "PICTURE", tmp_path / "delivery.svg")
    with pytest.raises(FileNotFoundError, match="has no results; measure first: make bench"):
        newest()

    whole = [("2026-11-25-0600", 9.0), ("2026-11-26-0600", 5.0)]
    for name, cpu in [*whole, ("2026-11-27-0600-quick", 1.0), ("2026-11-27-0700-part", 2.0)]:
        (tmp_path / f"{name}.json").write_text(json.dumps(results(row("Usher, uvicorn, lane", cpu))))
    page = tmp_path / "scaling.md"
    page.write_text("a GiB holds <!--=sockets_per_gib-->12<!--/--> sockets, *s* is <!--=socket_kb--><!--/--> KB")
    monkeypatch.setattr(figures, "PAGE", page)
    report.write(newest())

    assert "results/2026-11-26-0600.json" in (tmp_path / "README.md").read_text()
    assert "holds <!--=sockets_per_gib-->not measured<!--/--> sockets" in page.read_text()
    assert ">5.00</text>" in (tmp_path / "delivery.svg").read_text()


def test_figures_of_the_page_on_scaling_follow_from_the_results():
    rows = together([
        row("Usher, uvicorn, lane", 5.0, shape="idle", kilobytes=16.0),
        row("Usher, uvicorn, lane", 6.0, window=1),
        row("Usher, uvicorn, lane", 400.0, shape="rights", viewers=10, cpu_us_per_event=4_060.0),
    ])  # fmt: skip

    values = figures.figures(rows)

    assert (values["socket_kb"], values["sockets_per_gib"]) == ("16.0", "65,536")
    assert values["event_us"] == "4,000"
    assert values["example_large"] == "10.0", "10 × (4,000 + 1,000 × 6) µs a second"
    assert values["post_us"] == "not measured"


def test_every_mark_of_the_page_on_scaling_is_a_figure():
    marks = figures.MARKED.findall(figures.PAGE.read_text())
    assert sorted(set(marks)) == sorted(figures.figures([]))
