"""Readers that stop cost little, hold nobody up, and have everything once they read again."""

import asyncio
import csv
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster
from tests.faults.crowd import Viewer
from tests.faults.experiment import Experiment
from tests.faults.history import History, lines_of
from tests.faults.house import Seat
from tests.faults.latency import delivery_seconds, quantile
from tests.faults.memory import peak_megabytes
from tests.faults.slow import SlowViewer, Witness
from tests.faults.verdict import Verdict
from tests.stories.servers import environment_of, manage

PER_SECOND = 10
MOST_MEGABYTES = 20
NOISE_SECONDS = 0.1
ROWS_AT_ONCE = 500
WITNESSES = 2
"""Readers of the flooded tenant who are not slow: what they have, all have been offered."""
SLOW_CONSUMER, PONG_TIMEOUT = 4002, 4003
BEHIND = 64
"""Events. A server keeps as many for a socket; whoever lacks more is read to from the log."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown."""

    verdict: Verdict
    peaks: list[float]
    """The most memory that each server held, in MB."""
    p99: float
    """Of the delivery to those who always read, in seconds."""
    slow: int
    behind: int
    """Slow readers who lacked more than a server keeps for them, when the witnesses had everything."""
    ends: Counter[int | None]
    """Of slow readers' sockets, until all had caught up, by close code; None for a broken connection."""
    complaints: str


@pytest.fixture
def run(furnish, own_redis, tmp_path, seed, scale):
    """Have one of the tenants flooded with events; its viewers are slow, or as quick as the others."""

    async def run(name: str, *, with_slow_readers: bool) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        tenants, viewers = scale.of(short=(2, 20), long=(5, 330))
        url, house = furnish(tenants=tenants, viewers=viewers)
        variables = {"DATABASE_URL": url, "REDIS_URL": own_redis.url}
        flooded = house.tenants[-1]
        SlowViewer.stop = asyncio.Event()
        numbers = count()

        def kind_of(seat: Seat) -> type[Viewer]:
            if seat.tenant != flooded or not seat.sees_somebody:
                return Viewer
            return Witness if next(numbers) < WITNESSES else SlowViewer

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
                kind_of=kind_of,
            ) as experiment:
                flooded_ones = [viewer for viewer in experiment.crowd.viewers if isinstance(viewer, Witness)]
                slow = [viewer for viewer in flooded_ones if isinstance(viewer, SlowViewer)]
                witnesses = [viewer for viewer in flooded_ones if viewer not in slow]
                if with_slow_readers:
                    SlowViewer.stop.set()
                began = time.monotonic()
                seconds, rows = scale.of(short=(3, 500), long=(40, 2500))
                async with experiment.creating(per_second=PER_SECOND):
                    await _import(history, flooded, rows, folder=folder, variables=variables)
                    await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
                ended = time.monotonic()
                await experiment.crowd.until(lambda: all(len(viewer.shown) >= rows for viewer in witnesses), 120)
                assert all(len(viewer.shown) >= rows for viewer in witnesses), "they always read"
                behind = sum(rows - len(viewer.shown) > BEHIND for viewer in slow)
                SlowViewer.stop.clear()
                await experiment.crowd.until(lambda: all(len(viewer.shown) >= rows for viewer in slow), 120)
                caught_up = time.monotonic()
                peaks = [peak_megabytes(node.server.process.pid) for node in cluster.nodes]
                verdict = await experiment.verdict()
            complaints = cluster.complaints()
        names = {viewer.name for viewer in flooded_ones}
        times = delivery_seconds(history.path, counts=lambda viewer: viewer not in names)
        p99 = quantile([took for at, took in times if began <= at < ended], 0.99)
        ends = ends_of({viewer.name for viewer in slow}, history.path, before=caught_up)
        return Run(verdict, peaks, p99, len(slow), behind, ends, complaints)

    return run


def ends_of(viewers: set[str], path: Path, *, before: float) -> Counter[int | None]:
    """Return with which codes sockets of these viewers ended until then."""
    ends: Counter[int | None] = Counter()
    theirs = set()
    for line in lines_of(path):
        if line["kind"] == "opened" and line["viewer"] in viewers:
            theirs.add(line["socket"])
        elif line["kind"] == "closed" and line["socket"] in theirs and line["t"] < before:
            ends[line["code"]] += 1
    return ends


@pytest.mark.timeout(1200)
async def test_readers_that_stop(scale, run, conclude):
    quick = await run("all read", with_slow_readers=False)
    slow = await run("some do not", with_slow_readers=True)

    grown = [more - less for more, less in zip(slow.peaks, quick.peaks, strict=True)]
    is_whole = slow.verdict.is_clean and not slow.verdict.incomplete and not slow.complaints and not quick.complaints
    # Whoever takes nothing at all cannot be told why he is closed: his connection is broken.
    is_noticed = bool(slow.behind or slow.ends) and set(slow.ends) <= {SLOW_CONSUMER, PONG_TIMEOUT, None}
    is_cheap = max(grown) <= MOST_MEGABYTES and slow.p99 <= max(2 * quick.p99, NOISE_SECONDS)
    conclude(
        "Slow readers",
        done=f"{slow.slow} readers that stop or sip beside others, {scale.of(short=500, long=2500)} events for them; "
        "daphne and uvicorn; against the same without",
        bound=f"at most +{MOST_MEGABYTES} MB for each server; the others' p99 within twice, or 0.1 s; some fall "
        "behind or are closed, with 4002, with 4003 or, taking nothing, without a code; all complete in the end, 0 "
        "lost or twice",
        measured={
            "memory": ", ".join(f"{size:+.1f} MB" for size in grown),
            "the others' p99": f"{quick.p99:.3f} s without, {slow.p99:.3f} s with",
            "behind": slow.behind,
            "closed": dict(slow.ends),
            **slow.verdict.measured(),
        },
        holds=is_whole and is_noticed and (not scale.is_long or (is_cheap and slow.ends.total() >= slow.slow // 4)),
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
