"""``Idempotency-Key``: a creation that is asked for again is answered again, and made once."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import Problem
from accounts.idempotency import MadeAlready, Once, once_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 255
PLAIN = re.compile(rf"[\x21-\x2b\x2d-\x7e]{{1,{LONGEST}}}")
"""No comma: a header that comes twice is one with a comma when it gets here, whatever the server."""
PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        f"Once, 1 to {LONGEST} visible ASCII characters without a comma, such as a UUID. The same request with it "
        f"within 24 hours makes nothing new and is answered as the first was, with '{REPLAYED}: true'; another one is "
        "422, the same one while the first is under way 409."
    ),
)
ERASED = "What was created under this key has been erased since; use a new key to create anew."

T = TypeVar("T")


def is_keyed(request: Request) -> bool:
    """Tell whether a request can be asked for again."""
    return HEADER in request.headers


def created_once(
    request: Request,
    *,
    tenant_id: int | None,
    caller: str,
    create: Callable[[Once | None], dict[str, Any]],
    find: Callable[[str], T | None],
    show: Callable[[T], dict[str, Any]],
) -> Response:
    """
    Answer 201 with what ``create`` makes and shows, or, to a request that is asked again, with what it has made then.

    Only the reference of what was made is kept: ``find`` looks it up and ``show`` shows it as it is now, to this caller
    with his rights of now. ``caller`` tells apart the callers of a tenant, so that nobody meets another one's keys.
    """
    once = _once_of(request, tenant_id, caller)
    reference = None if once is None else once.made()
    if reference is None:
        try:
            return Response(create(once), status=201)
        except MadeAlready as earlier:
            reference = earlier.reference
    made = find(reference)
    if made is None:
        raise Problem(ERASED, code="erased", status=410)
    return Response(show(made), status=201, headers={REPLAYED: "true"})


def _once_of(request: Request, tenant_id: int | None, caller: str) -> Once | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not PLAIN.fullmatch(key):
        expected = f"expected it once, 1 to {LONGEST} visible ASCII characters without a comma, such as a UUID"
        raise Problem(f"{HEADER} is {key[:40]!r}; {expected}.", code="bad_idempotency_key")
    asked = [request.method, request.path, request.data]
    return once_of(key, tenant_id=tenant_id, caller=caller, request=asked)
