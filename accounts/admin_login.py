"""The log-in page of the Django admin, under the same limits as every other log-in."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.refusals import Busy, TooManyFailures, TooManyLogIns


def log_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or log an operator in; one too many is told so by a status, as in the API."""
    try:
        return admin.site.login(request)
    except (Busy, TooManyFailures, TooManyLogIns) as refusal:
        status = 503 if isinstance(refusal, Busy) else 429
        headers = {"Retry-After": str(refusal.retry_after_seconds)}
        return HttpResponse(str(refusal), status=status, headers=headers, content_type="text/plain; charset=utf-8")
