"""What every HTTP request gets on its way in and every response on its way out."""

import re
import secrets
from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from accounts.api import throttles
from config import pages
from realtime.addresses import is_proxy
from realtime.identity import request_id

LIMITED = ("/api/", "/admin/")
Next = Callable[[HttpRequest], HttpResponse]

# Strict, because the id is repeated in headers, problems and log lines: nothing else may get in that way.
REQUEST_ID = re.compile(r"[0-9a-f]{32}")

# No script but our own files; pages of the API and the admin need nothing more. Their styles are partly inline.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Scheme:
    """Forget what anybody but a proxy of ours says of the scheme; what is left, ``request.is_secure()`` goes by."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_proxy(request.META.get("REMOTE_ADDR"), settings.USHER.trusted_proxies):
            request.META.pop(settings.SECURE_PROXY_SSL_HEADER[0], None)
        return self.get_response(request)


class RequestId:
    """
    Give a request its id: the caller's own if it is 32 hex digits, else a new one.

    The response names it, and so does what is logged meanwhile.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        given = offered if REQUEST_ID.fullmatch(offered) else secrets.token_hex(16)
        request.request_id = given  # type: ignore[attr-defined]
        before = request_id.set(given)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(before)
        response["X-Request-ID"] = given
        return response


class RequestLimit:
    """Turn an address away that asks too often, before anything is looked at. Files and /livez are not counted."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(LIMITED) and (seconds := throttles.seconds_until_allowed(request)):
            return pages.too_many_requests(request, seconds)
        return self.get_response(request)


class BodyLength:
    """
    Say how long a body is that came without its length, as one in chunks does.

    REST framework takes a body of no declared length for none at all: a request that suspends a tenant would be
    answered 200 and suspend nobody. How long a body may be, the server has seen to before.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(len(request.body))
        return self.get_response(request)


class Headers:
    """Forbid caches to keep what was made for one caller, and browsers to run what is not ours."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """
    Serve the project's own files, whole.

    A stream would be closed before it is sent (config/handler.py): an answer is made, and ends, in its thread.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return the response for a file that was found."""
        found = static_file.get_response(request.method, request.META)
        # None for HEAD, and when the browser's copy is still good.
        with found.file or BytesIO() as file:
            response = HttpResponse(file.read(), status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
