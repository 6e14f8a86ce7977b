"""bench/README.md and its picture, rendered from one run's results."""

import json
from pathlib import Path
from typing import Any

from bench import figures
from bench.criteria import CRITERIA
from bench.picture import picture
from bench.shapes.all import SHAPES
from bench.tables import Row, table, together

BENCH = Path(__file__).resolve().parent
README, PICTURE, RESULTS = BENCH / "README.md", BENCH / "delivery.svg", BENCH / "results"

HEAD = """# Benchmarks

What Usher's deliveries cost beside others', in one run on one machine. Rendered by `make bench` from {file}; the text
is [report.py](report.py)'s. [docs/performance.md](../docs/performance.md) says what the numbers mean and how they came
to be, [docs/scaling.md](../docs/scaling.md) what they give for a deployment.

    make bench                               # everything, 40 minutes; needs gcc, and for the peers node and apt's
                                             # nginx with nchan, mosquitto, Go (each says what it misses)
    make bench-quick                         # smaller, without peers, under 3 minutes
    make bench ARGS="--shapes thousand,storm --systems 'Usher|floor'"

## The run

{date}, {minutes} minutes, commit `{commit}`. {processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}, Python
{python}, {packages}. Command: `{command}`.{versions}

- **The server has a core to itself**, and everything else the other: load client, publisher, PostgreSQL, Redis.{sleep}
  Everything is on 127.0.0.1, where the receiver's TCP work runs inside the sender's `send()`: ratios are what to keep.
- **CPU µs** is the server's CPU time, of all its threads, by the scheduler's own clock, for each delivery, less what
  the same server uses with the same sockets and nothing to send (*idle*, of a core; heartbeats, looks at counters);
  *with idle* is all that it used, and what the promises are judged by. *deliveries per second of a core* is its
  reciprocal; *deliveries/s* is what came of it in this loop. *+ beside* is PostgreSQL and Redis.
- **Usher's events are creations of users**, with grants, event and bell, on PostgreSQL. In the tables of deliveries
  their rows are copied into their tables by a process on the other core, past models and triggers, since what Usher is
  compared with is told of events that cost nothing; a test compares the rows with the product's own. All that wait
  when it looks are one transaction (*in one commit*), whose bells are rung in one write. What a creation costs as the
  product makes it is in the tables of imports, requests and creations.
- **The load client** is one thread of C. *client busy* is what it used of its core; near 100 % it may be what is
  measured.
- **Peers do no filtering by rights**: everybody in a channel gets the same bytes. Usher's viewers get one of K, by what
  each may see: K=4 unless said otherwise.
- Rounds run forwards and backwards in turn; a table has the medians, and the sums of what was lost or refused.

## What was promised

| measure | must | reach for | measured | holds |
|---|---:|---:|---:|---|
{criteria}

![CPU per delivery](delivery.svg)
"""


AWAKE = """
  Somebody who gives way to everybody keeps it from sleeping ([awake.py](awake.py)): a virtual machine that has nothing
  to do gives the core to its neighbours, caches and all, and a quick server would be measured by what they do."""


def newest() -> dict[str, Any]:
    """Return the newest results of a whole run: not of a quick one, and not of a part of one."""
    files = sorted(file for file in RESULTS.glob("*.json") if not file.stem.endswith(("-quick", "-part")))
    if not files:
        raise FileNotFoundError(f"{RESULTS} has no results; measure first: make bench")
    results: dict[str, Any] = json.loads(files[-1].read_text())
    return results | {"file": f"results/{files[-1].name}"}


def write(results: dict[str, Any]) -> None:
    """Write README.md and its picture, and the figures of docs/scaling.md."""
    PICTURE.write_text(picture(together(results["rows"])))
    README.write_text(rendered(results))
    figures.PAGE.write_text(figures.filled(figures.PAGE.read_text(), together(results["rows"])))


def rendered(results: dict[str, Any]) -> str:
    """Return README.md."""
    machine, rows = results["machine"], together(results["rows"])
    file = results.get("file")
    head = HEAD.format(
        **{**machine, "packages": ", ".join(f"{name} {number}" for name, number in machine["packages"].items())},
        file=f"[{file}]({file})" if file else "results of this run",
        sleep=AWAKE if results.get("is_kept_awake") else "",
        date=results["date"],
        minutes=results["minutes"],
        command=results["command"],
        versions=_versions(results),
        criteria="\n".join(criterion.line(rows) for criterion in CRITERIA),
    )
    return head + _problems(results) + "".join(_section(shape.name, rows) for shape in SHAPES)


def _versions(results: dict[str, Any]) -> str:
    said = dict.fromkeys(results.get("versions", {}).values())
    return f" Beside it: {'; '.join(said)}." if said else ""


def _problems(results: dict[str, Any]) -> str:
    said = [f"- {problem}" for problem in results["problems"]]
    said += [f"- {name} is not measured: {reason}" for name, reason in results["unavailable"].items()]
    return "\n## What went wrong\n\n" + "\n".join(said) + "\n" if said else ""


def _section(name: str, rows: list[Row]) -> str:
    shape = next(shape for shape in SHAPES if shape.name == name)
    if not any(row["shape"] == name for row in rows):
        return ""
    lines = [
        f"\n## {shape.question}",
        "",
        f'{shape.method} `make bench ARGS="--shapes {name}"`',
        "",
        *table(name, rows),
    ]
    return "\n".join(lines) + "\n"
