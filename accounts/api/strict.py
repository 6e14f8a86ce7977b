"""Bodies that are read strictly: what is not understood is refused, never dropped or guessed at."""

import json
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from rest_framework import serializers
from rest_framework.parsers import JSONParser

from accounts.api.problems import Problem

LONGEST_BODY = 1024 * 1024


class StrictJSONParser(JSONParser):
    """
    UTF-8 JSON of at most 1 MiB, without duplicate keys, NaN, infinities or lone surrogates.

    Python's own parser takes the last of two equal keys, so a filter in front of us that takes the first would have
    seen another body; it lets numbers through that JSON cannot say, and strings that no answer could repeat.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return the body; raises a 400 or 413 problem for one that is not taken."""
        body = stream.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise Problem(f"The body is larger than {LONGEST_BODY} bytes.", code="too_large", status=413)
        try:
            return strict_json(body)
        except (ValueError, RecursionError) as error:
            raise Problem(f"The body is not JSON as expected here: {_words_of(error)}.") from None


def strict_json(body: bytes) -> Any:
    """Return what ``body`` says; raises ``ValueError`` or ``RecursionError``."""
    value = json.loads(
        body.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_such_number, parse_float=_finite
    )
    json.dumps(value, ensure_ascii=False).encode("utf-8")  # raises for lone surrogates, in keys and values alike
    return value


class StrictSerializer(serializers.Serializer[Any]):
    """A body with these fields and no others."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated fields; raises ``ValidationError`` naming every field that is not one of ours."""
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = [str(name) for name in data if name not in known]
            if unknown:
                expected = f"expected {', '.join(known)}" if known else "expected no fields at all"
                raise serializers.ValidationError(
                    {name[:100]: [f"is not a field here; {expected}."] for name in unknown}
                )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string; a number is none, although it could be spelt as one."""

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class Flag(serializers.BooleanField):
    """``true`` or ``false``; not "yes", 1 or "off"."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number; not "7", 7.0 or true."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class Nothing(StrictSerializer):
    """No body, or an empty object."""


def validated(serializer: type[StrictSerializer], request: Any) -> dict[str, Any]:
    """Return the validated fields of a request's body; raises ``ValidationError``."""
    body = serializer(data=request.data)
    vars(body)["fields"] = _fields_of(serializer)
    body.is_valid(raise_exception=True)
    fields: dict[str, Any] = body.validated_data
    return fields


@lru_cache
def _fields_of(serializer: type[StrictSerializer]) -> Any:
    """
    Return the fields for all bodies of this kind: they know what is expected, and nothing of what has been sent.

    To copy them for each, as REST framework does, takes longer than to look at what the body says in them.
    """
    return serializer().fields


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("an object has the same key twice")
    return names


def _no_such_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _words_of(error: Exception) -> str:
    match error:
        case UnicodeError():
            return "it is not valid UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case json.JSONDecodeError():
            return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)
