"""What Usher says about an environment that it cannot use: the variable, its value, what it expected."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

PREFIX = "USHER_"
SECRETS = frozenset({"USHER_SECRET_KEY", "USHER_JWT_KEY", "USHER_JWT_OTHER_KEYS"})
# The default of a field could not be worked out because an earlier field is wrong: that one is reported, once.
FOLLOWS_FROM_ANOTHER = "default_factory_not_called"
PASSWORD_IN_AUTHORITY = re.compile(r"^(?P<before>.*?//)?.*@")
PASSWORD_IN_QUERY = re.compile(r"(?P<before>password=)[^&]*")


def of_values(errors: Iterable[ErrorDetails], expectations: Mapping[str, str]) -> list[str]:
    """One line for each variable that is missing or has a value that cannot be used."""
    return [_of_value(error, expectations) for error in errors if error["type"] != FOLLOWS_FROM_ANOTHER]


def of_misspelt_names(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """One line for each variable that looks like one of ours but is none: it would be ignored, and nobody told."""
    known = [name for name in known if name.startswith(PREFIX)]
    strangers = sorted(name for name in names if name.startswith(PREFIX) and name not in known)
    meant = {name: get_close_matches(name, known, n=1, cutoff=0.85) for name in strangers}
    return [f"{name} is not a variable of Usher's; expected {close[0]}" for name, close in meant.items() if close]


def _of_value(error: ErrorDetails, expectations: Mapping[str, str]) -> str:
    name = str(error["loc"][0])
    expectation = error["msg"] if error["type"] == "expected" else expectations[name]
    if error["type"] == "missing":
        return f"{name} is not set; expected {expectation}"
    return f"{name} is {_shown(name, error['input'])}; expected {expectation}"


def _shown(name: str, value: Any) -> str:
    if name in SECRETS:
        return f"a secret of {len(str(value))} characters"
    if name.endswith("_URL"):
        value = PASSWORD_IN_AUTHORITY.sub(r"\g<before>***@", PASSWORD_IN_QUERY.sub(r"\g<before>***", str(value)))
    return f"'{value}'"
