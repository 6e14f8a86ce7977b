"""Which systems take part in a shape, in the order of the tables."""

from collections.abc import Sequence

from bench.run import Run
from bench.systems import System
from bench.systems.centrifuge import Centrifuge
from bench.systems.floor import Floor
from bench.systems.peers import PEERS
from bench.systems.tutorial import Tutorial
from bench.systems.usher import SAMPLE_TAKEN, SAMPLED, Usher


def floor_and_usher(run: Run) -> list[System]:
    """Return the floor, and Usher on both servers, with and without the lane."""
    if run.is_quick:
        return [Floor(), Usher(run.publishers, lane="on"), Usher(run.publishers, lane="off")]
    return [
        Floor(),
        Usher(run.publishers, lane="on"),
        Usher(run.publishers, lane="single"),
        Usher(run.publishers, lane="off"),
        Usher(run.publishers, server="daphne", lane="on"),
        Usher(run.publishers, server="daphne", lane="off"),
    ]


def by_classes(run: Run) -> list[System]:
    """Return Usher with viewers who all see the same, and with sixteen classes of them, on one kind of event."""
    return [
        Usher(run.publishers, classes=classes, settings=SAMPLED, kind=SAMPLE_TAKEN)
        for classes in ((1, 16) if run.is_quick else (1, 4, 16))
    ]


def alike(run: Run) -> list[System]:
    """Return those whose costs with 1,000 viewers are near what a measure asks for."""
    lanes = [Usher(run.publishers, lane="on"), Usher(run.publishers, lane="single")]
    return [Floor(), *lanes, *by_classes(run), Centrifuge()]


def under_uvicorn(run: Run) -> list[System]:
    """Return those whose costs with many tenants are near what a measure asks for."""
    lanes = [Usher(run.publishers, lane="on"), Usher(run.publishers, lane="off")]
    return [*lanes, Tutorial(run.house, server="uvicorn")]


def tutorials(run: Run) -> list[Tutorial]:
    """Return the tutorial on both servers."""
    return [Tutorial(run.house, server=server) for server in (("uvicorn",) if run.is_quick else ("uvicorn", "daphne"))]


def peers(run: Run) -> list[System]:
    """Return the peers, which do not filter; a quick run has none."""
    return [] if run.is_quick else [make() for make in PEERS]


def some(run: Run) -> list[System]:
    """Return as many of Usher's as the side questions need, and all others."""
    return [Floor(), *principal(run), *peers(run)]


def principal(run: Run) -> list[Usher | Tutorial]:
    """Return Usher as it is meant to be served and as it is served elsewhere, and the tutorial on the same servers."""
    if run.is_quick:
        return [Usher(run.publishers), *tutorials(run)]
    return [
        Usher(run.publishers, lane="on"),
        Usher(run.publishers, lane="off"),
        Usher(run.publishers, server="daphne", lane="on"),
        *tutorials(run),
    ]


def everybody(run: Run) -> Sequence[System]:
    """Return all."""
    return [*floor_and_usher(run), *by_classes(run), *tutorials(run), *peers(run)]
