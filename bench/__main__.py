"""
The driver: measures the shapes, writes dated results, renders README.md from them.

    make bench                                             everything
    make bench-quick                                       a little of most, no peers
    make bench ARGS="--shapes thousand,storm"              some shapes
    make bench ARGS="--systems 'C floor,Usher, uvicorn'"   some systems, by parts of their names, separated by |
    make bench ARGS="--profile /tmp/stacks --systems Usher"  where the servers' time goes; py-spy must be there
    make bench ARGS="--render"                             README.md anew, from the newest results

Ends with 1 if a message was missing, came twice or went astray, a socket was refused or closed (the tutorial's are
told in the tables, and are no failure), or something could not be measured.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import described
from bench.processes import Unavailable
from bench.programs import compiled
from bench.report import README, RESULTS, newest, write
from bench.run import OTHERS, SERVERS, Run
from bench.shapes import Shape
from bench.shapes.all import SHAPES


def main() -> int:
    """Measure what is asked for; return the status to end with."""
    options = _options()
    if options.render:
        write(newest())
        return 0
    try:
        for program in ("load", "floor", "awake"):
            compiled(program)
    except Unavailable as reason:
        sys.exit(f"{reason}")
    if not {SERVERS, OTHERS} <= os.sched_getaffinity(0):
        sys.exit(
            f"the cores are {sorted(os.sched_getaffinity(0))}; expected {SERVERS} and {OTHERS}, one for the servers"
        )
    os.sched_setaffinity(0, {OTHERS})
    chosen = _chosen(options)
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as name:
        Path(name).chmod(0o755)  # the database's own user looks into it
        run = Run(
            Path(name),
            is_quick=options.quick,
            wanted=options.systems,
            rounds=options.rounds,
            keeps_awake=not options.let_sleep,
            profiles=options.profile,
        )
        began = time.time()
        try:
            for shape in chosen:
                _measure(run, shape)
                _keep(run, options, began)
        finally:
            run.stop()
    return _concluded(run, options, began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n\n")[0].strip())
    parser.add_argument("--quick", action="store_true", help="smaller numbers, one round, no peers")
    parser.add_argument("--shapes", default="", help=f"separated by commas, of {', '.join(s.name for s in SHAPES)}")
    parser.add_argument("--systems", default="", help="parts of names, separated by |")
    parser.add_argument("--rounds", type=int, help="so many of each shape, whatever the shape says")
    parser.add_argument("--let-sleep", action="store_true", help="let the servers' core sleep between two events")
    parser.add_argument("--profile", type=Path, help="a folder for the stacks that py-spy records; slows servers down")
    parser.add_argument("--results", type=Path, help="where to write the results, if not to bench/results/<date>.json")
    parser.add_argument("--render", action="store_true", help="measure nothing: README.md from the newest results")
    options = parser.parse_args()
    options.shapes = [name for name in options.shapes.split(",") if name]
    options.systems = [part for part in options.systems.split("|") if part]
    unknown = set(options.shapes) - {shape.name for shape in SHAPES}
    if unknown:
        parser.error(f"--shapes has {', '.join(sorted(unknown))}; expected of {', '.join(s.name for s in SHAPES)}")
    if options.results is None:
        is_part = options.shapes or options.systems or options.rounds or options.profile or options.let_sleep
        kind = "-quick" if options.quick else "-part" if is_part else ""
        options.results = RESULTS / f"{time.strftime('%Y-%m-%d-%H%M')}{kind}.json"
    return options


def _chosen(options: argparse.Namespace) -> list[Shape]:
    if options.shapes:
        return [shape for shape in SHAPES if shape.name in options.shapes]
    return [shape for shape in SHAPES if shape.is_quick or not options.quick]


def _measure(run: Run, shape: Shape) -> None:
    run.shape = shape.name
    began = time.monotonic()
    print(f"{shape.name}: {shape.question}", flush=True)
    shape.measure(run)
    print(f"{shape.name} took {time.monotonic() - began:.0f} s\n", flush=True)


def _results(run: Run, options: argparse.Namespace, began: float) -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M", time.localtime(began)),
        "minutes": round((time.time() - began) / 60, 1),
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
        "is_quick": options.quick,
        "is_kept_awake": run.keeps_awake,
        "machine": described(),
        "versions": run.versions,
        "problems": run.problems,
        "unavailable": run.unavailable,
        "rows": run.rows,
    }


def _keep(run: Run, options: argparse.Namespace, began: float) -> None:
    """Write what there is so far: an interrupted run leaves what it has measured."""
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(_results(run, options, began), indent=1) + "\n")


def _concluded(run: Run, options: argparse.Namespace, began: float) -> int:
    print(f"{(time.time() - began) / 60:.1f} minutes; results in {options.results}")
    if not (options.quick or options.shapes or options.systems or options.profile or options.let_sleep):
        write(_results(run, options, began) | {"file": f"results/{options.results.name}"})
        print(f"rendered {README}")
    for name, reason in run.unavailable.items():
        print(f"not measured: {name}: {reason}")
    for problem in run.problems:
        print(f"PROBLEM: {problem}")
    return run.status


if __name__ == "__main__":
    sys.exit(main())
