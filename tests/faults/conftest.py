"""What the experiments share: how big they are, their seed, and the report of what they have measured."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.report import Finding, Report, write_if_asked
from tests.faults.scale import Scale, scale_asked_for, seed_asked_for

Conclude = Callable[..., None]


@pytest.fixture(scope="session")
def scale() -> Scale:
    """Short or long: ``scale.of(short=200, long=10_000)``."""
    return scale_asked_for()


@pytest.fixture
def seed() -> int:
    """The seed of this experiment. Printed, and so part of what a failure shows."""
    seed = seed_asked_for()
    print(f"seed: {seed}")
    return seed


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    """What this run has measured."""
    report = Report()
    yield report
    write_if_asked(report)


@pytest.fixture
def conclude(report: Report, seed: int) -> Conclude:
    """
    Note what an experiment has measured, and fail if its bound does not hold.

    ``conclude("kill -9 of servers", done="30 kills during 10,000 creations", bound="0 lost", measured={"lost": 0},
    holds=lost == 0)``. It comes last in a test, since what follows a bound that is broken would not be measured.
    """

    def conclude(experiment: str, *, done: str, bound: str, measured: dict[str, object], holds: bool) -> None:
        report.note(Finding(experiment, done, bound, measured, seed, holds))
        assert holds, f"{experiment} ({done}): must hold: {bound}; measured: {measured}; seed {seed}"

    return conclude
