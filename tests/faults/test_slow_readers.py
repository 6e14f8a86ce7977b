"""Readers that stop cost little, hold nobody up, and have everything once they read again."""

import asyncio
import csv
import time
from dataclasses import dataclass

import pytest

from tests.faults.cluster import Cluster
from tests.faults.crowd import Viewer
from tests.faults.experiment import Experiment
from tests.faults.history import History
from tests.faults.latency import delivery_seconds, quantile
from tests.faults.memory import peak_megabytes
from tests.faults.slow import SlowViewer
from tests.faults.verdict import Verdict
from tests.stories.servers import environment_of, manage

PER_SECOND = 10
MOST_MEGABYTES = 20
NOISE_SECONDS = 0.1
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown."""

    verdict: Verdict
    peaks: list[float]
    """The most memory that each server held, in MB."""
    p99: float
    """Of the delivery to those who always read, in seconds."""
    slow: int
    came_back: int
    """Sockets that slow readers had to open again."""
    complaints: str


@pytest.fixture
def run(furnish, own_redis, tmp_path, seed, scale):
    """Have one of the tenants flooded with events; its viewers are slow, or as quick as the others."""

    async def run(name: str, *, with_slow_readers: bool) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        tenants, viewers = scale.of(short=(2, 20), long=(5, 315))
        url, house = furnish(tenants=tenants, viewers=viewers)
        variables = {"DATABASE_URL": url, "REDIS_URL": own_redis.url}
        flooded = house.tenants[-1]
        SlowViewer.stop = asyncio.Event()
        with (
            History(folder / "history.jsonl") as history,
            Cluster(["daphne", "uvicorn"], history=history, folder=folder, variables=variables) as cluster,
        ):
            async with Experiment(
                cluster,
                house,
                history,
                database_url=url,
                seed=seed,
                kind_of=lambda seat: SlowViewer if seat.tenant == flooded and seat.sees_somebody else Viewer,
            ) as experiment:
                slow = [viewer for viewer in experiment.crowd.viewers if isinstance(viewer, SlowViewer)]
                if with_slow_readers:
                    SlowViewer.stop.set()
                began = time.monotonic()
                seconds, rows = scale.of(short=(3, 500), long=(40, 2500))
                async with experiment.creating(per_second=PER_SECOND):
                    await _import(history, flooded, rows, folder=folder, variables=variables)
                    await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
                ended = time.monotonic()
                SlowViewer.stop.clear()
                await experiment.crowd.until(lambda: all(len(viewer.shown) >= rows for viewer in slow), 120)
                peaks = [peak_megabytes(node.server.process.pid) for node in cluster.nodes]
                verdict = await experiment.verdict()
            complaints = cluster.complaints()
        names = {viewer.name for viewer in slow}
        times = delivery_seconds(history.path, counts=lambda viewer: viewer not in names)
        p99 = quantile([took for at, took in times if began <= at < ended], 0.99)
        sockets = sum(viewer.sockets for viewer in slow)
        return Run(verdict, peaks, p99, len(slow), sockets - len(slow), complaints)

    return run


@pytest.mark.timeout(1200)
async def test_readers_that_stop(scale, run, conclude):
    quick = await run("all read", with_slow_readers=False)
    slow = await run("some do not", with_slow_readers=True)

    grown = [more - less for more, less in zip(slow.peaks, quick.peaks, strict=True)]
    is_whole = slow.verdict.is_clean and not slow.verdict.incomplete and not slow.complaints and not quick.complaints
    is_cheap = max(grown) <= MOST_MEGABYTES and slow.p99 <= max(2 * quick.p99, NOISE_SECONDS)
    conclude(
        "Slow readers",
        done=f"{slow.slow} readers that stop or sip beside others, {scale.of(short=500, long=2500)} events for them; "
        "daphne and uvicorn; against the same without",
        bound=f"at most +{MOST_MEGABYTES} MB for each server; the others' p99 within twice, or 0.1 s; all slow ones "
        "complete in the end, 0 lost or twice",
        measured={
            "memory": ", ".join(f"{size:+.1f} MB" for size in grown),
            "the others' p99": f"{quick.p99:.3f} s without, {slow.p99:.3f} s with",
            "sockets opened again": slow.came_back,
            **slow.verdict.measured(),
        },
        holds=is_whole and (not scale.is_long or (is_cheap and slow.came_back >= slow.slow // 4)),
    )


async def _import(history, tenant, rows, *, folder, variables):
    """Import users by the command, in files; each has a line in the history, since the judge asks when it began."""
    for start in range(0, rows, ROWS_AT_ONCE):
        names = [f"imported-{number}" for number in range(start, min(rows, start + ROWS_AT_ONCE))]
        file = folder / f"{start}.csv"
        with file.open("w", newline="") as lines:
            table = csv.writer(lines)
            table.writerow(["username", "full_name", "email"])
            table.writerows([name, "ü" * 200, f"{name}@{'x' * 60}.test"] for name in names)
        operations = [history.begin("create", tenant=tenant, username=name, server="import") for name in names]
        command = manage(
            "import_users", str(file), "--tenant", tenant, folder=folder, variables=environment_of(variables)
        )
        while command.is_running:  # as long as it takes  # noqa: ASYNC110  nothing tells when it is done
            await asyncio.sleep(0.05)
        assert command.wait() == 0, command.output()
        for operation in operations:
            operation.unknown(server="import", why="the command tells no ids")
