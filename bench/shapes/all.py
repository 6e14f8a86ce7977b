"""All shapes, in the order in which they are measured."""

from bench.shapes import Shape, bursts, connecting, costs, crowd, requests

SHAPES: tuple[Shape, ...] = (
    *crowd.SHAPES,
    *bursts.SHAPES,
    *connecting.SHAPES,
    *requests.SHAPES,
    *costs.SHAPES,
)
