"""Whoever keeps a core awake is on that core alone, gives way to everybody, and ends with what needed it."""

import os
import time
from pathlib import Path

import pytest

from bench.awake import kept_awake
from bench.processes import CpuUsed
from bench.run import OTHERS, SERVERS


@pytest.mark.parametrize("core", [SERVERS, OTHERS])
def test_it_runs_on_that_core_for_as_long_as_nobody_else_wants_to(core):
    with kept_awake(core) as pid:
        used = CpuUsed([pid])

        assert os.sched_getaffinity(pid) == {core}
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        while not used.seconds:
            time.sleep(0.01)  # it takes what is left of a core; on a busy one that is little

    assert not Path(f"/proc/{pid}").exists()


def test_it_ends_when_the_measurement_fails():
    with pytest.raises(ValueError, match="not measured"), kept_awake(SERVERS) as pid:
        raise ValueError("not measured")

    assert not Path(f"/proc/{pid}").exists()
