"""What the values of a row must be, whichever path brings them."""

import unicodedata

from django.core.exceptions import ValidationError
from django.db.models import Model

from accounts.refusals import FieldsRefused

UNPRINTABLE = ("Cc", "Cs")
"""Control characters and lone surrogates: PostgreSQL stores neither NUL nor surrogates, and no name needs a newline."""


def refuse_invalid(row: Model, *names: str) -> None:
    """Raise ``FieldsRefused`` if one of these fields of a row holds what its model does not allow."""
    errors: dict[str, list[str]] = {}
    for name in names:
        value = getattr(row, name)
        text = value if isinstance(value, str) else ""
        odd = next((c for c in text if unicodedata.category(c) in UNPRINTABLE), None)
        if odd is not None:
            errors[name] = [f"{name} is {value!r}; expected no control characters (it has {odd!r})"]
    try:
        others = {field.name for field in type(row)._meta.fields} - set(names)
        row.clean_fields(exclude=others | set(errors))
    except ValidationError as error:
        errors = {**error.message_dict, **errors}
    if errors:
        raise FieldsRefused(errors)


def without_controls(text: str, *, longest: int) -> str:
    """Return ``text`` as it can be stored, for what is only noted, such as a browser's own name of itself."""
    return "".join(c for c in text if unicodedata.category(c) not in UNPRINTABLE)[:longest]
