"""What processes used is known also when one of them ends meanwhile."""

import subprocess
import sys

from bench.processes import CpuUsed

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


def test_one_that_ends_counts_with_what_it_had_used():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        used = CpuUsed([process.pid])
        assert process.stdout is not None
        process.stdout.readline()
        while_it_ran = used.seconds
        process.communicate(b"\n")

    assert while_it_ran > 0.1
    assert used.seconds == while_it_ran


def test_one_that_is_gone_already_uses_nothing():
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)

    assert CpuUsed([int(process.stdout)]).seconds == 0
