"""Inputs that nobody thought of: a fuzzer, led by the branches of our own code, looks for one that breaks a promise."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.env import PROJECT
from tests.faults.scale import Scale, seed_asked_for

TARGETS = {
    "frames": "a client's text is understood as another parser understands it, or gets 4400 or 4413",
    "cursors": "a query has a cursor in its one spelling, no token, nothing twice; or gets 400",
    "origins": "only allowed scheme, host and port; two headers never",
    "tokens": "only the token itself, or sound claims that we signed; REST and sockets read a header alike",
}
KEPT = PROJECT / "var" / "fuzzing"
AT_ONCE = 2
START_SECONDS = 120
INPUTS = {"frames": 20_000, "cursors": 20_000, "origins": 20_000, "tokens": 6_000}
"""How many the short form tries: some 3 s of each."""
LONG_SECONDS, MOST_SECONDS = 180, 240
BRANCHES = {"frames": 15, "cursors": 25, "origins": 15, "tokens": 150}
"""Of the modules that lead the fuzzer; far fewer would mean that it sees none of them."""
STATUS = re.compile(r"^#\d+\s+(INITED|DONE)\s+cov: (\d+) ft: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a fuzzer's run."""

    code: int
    output: str

    @property
    def inputs(self) -> int:
        """How many it tried."""
        found = re.search(r"number_of_executed_units: (\d+)", self.output)
        return int(found[1]) if found else 0

    @property
    def branches_and_features(self) -> tuple[int, int]:
        """How many branches of the guiding modules it saw, and how many combinations of them, in the end."""
        *_, (_, branches, features) = STATUS.findall(self.output)
        return int(branches), int(features)


def fuzz(target: str, *, seconds: int, seed: int, keep: Path, inputs: int = -1) -> Run:
    """Fuzz a target for so long, or with so many inputs; what breaks it is in the output, and kept in a folder."""
    program = [sys.executable, "-m", "tests.faults.fuzzing.run", target]
    done = subprocess.run(
        [*program, f"--seconds={seconds}", f"--inputs={inputs}", f"--seed={seed}", f"--keep={keep}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + START_SECONDS,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, scale: Scale) -> Iterator[dict[str, tuple[int, Future[Run]]]]:
    """The runs of all targets that were chosen, two at a time, each with its seed."""
    chosen = [
        str(item.callspec.params["target"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and hasattr(item, "callspec")
    ]
    seconds = scale.of(short=MOST_SECONDS, long=LONG_SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def begin(target: str) -> tuple[int, Future[Run]]:
            seed, inputs = seed_asked_for(), scale.of(short=INPUTS[target], long=-1)
            return seed, pool.submit(fuzz, target, seconds=seconds, seed=seed, keep=KEPT, inputs=inputs)

        yield {target: begin(target) for target in chosen}


@pytest.fixture
def seed(request: pytest.FixtureRequest, runs: dict[str, tuple[int, Future[Run]]]) -> int:
    """The seed of this target's run."""
    seed = runs[request.node.callspec.params["target"]][0]
    print(f"seed: {seed}")
    return seed


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.timeout(900)
def test_no_input_breaks_a_promise(target, runs, scale, conclude):
    run = runs[target][1].result()
    if run.code != 0:
        print(run.output[-4000:])  # the input and its traceback are in the last lines

    branches, features = run.branches_and_features if run.code == 0 else (0, 0)
    conclude(
        f"Fuzzing {target}",
        done=scale.of(short=f"{INPUTS[target]} inputs", long=f"{LONG_SECONDS} s")
        + " of atheris, led by the branches taken",
        bound=f"0 broken: {TARGETS[target]}",
        measured={"inputs": run.inputs, "branches": branches, "features": features, "broken": int(run.code != 0)},
        holds=run.code == 0 and run.inputs >= INPUTS[target] and branches >= BRANCHES[target],
    )


def test_a_planted_mistake_is_found_shown_and_kept(tmp_path):
    run = fuzz("planted", seconds=60, seed=1, keep=tmp_path)

    assert run.code != 0
    assert "LookupError: the planted mistake" in run.output
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes().startswith(b"usher!")
    assert str(kept) in run.output
    again = [sys.executable, "-m", "tests.faults.fuzzing.run", "planted", f"--again={kept}"]
    assert b"the planted mistake" in subprocess.run(again, cwd=PROJECT, capture_output=True, check=False).stderr
