"""A kind of event that only the benchmarks have: with six field permissions a viewer may see it in 64 ways."""

from realtime.kinds import EventKind, Field

VIEW = "view_sample"
FIELDS = ("colour", "weight", "origin", "finder", "price", "note")
FIELD_PERMISSIONS = tuple(f"view_sample_{name}" for name in FIELDS)
MOST_CLASSES = 2 ** len(FIELDS)

SAMPLE_TAKEN = EventKind(
    name="sample.taken",
    subject="samples.Sample",
    hear=VIEW,
    fields=(
        Field("id", VIEW),
        Field("title", VIEW),
        *(Field(name, codename) for name, codename in zip(FIELDS, FIELD_PERMISSIONS, strict=True)),
    ),
    message="A sample was taken",
)


def held_by_class(number: int, classes: int) -> frozenset[str]:
    """Return what the class of that number sees of a sample; with one class it sees all, and no two see the same."""
    chosen = (number + 1) * MOST_CLASSES // classes - 1
    return frozenset({VIEW, *(name for place, name in enumerate(FIELD_PERMISSIONS) if chosen >> place & 1)})
