"""The few pages of Usher itself: the one at the root, the sign of life, and errors outside the API's own views."""

import sys
from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.exceptions import Throttled
from rest_framework.response import Response

from accounts.api import problems
from accounts.api.outage import is_outage
from config import live_page
from config.live_page import LivePage

API = "/api/"
SOCKET = "/ws/user_notifications/"


@csrf_exempt  # else a POST would hear of a cookie that is missing, not that there is nothing to post
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the live page, or where it was not built, say what this is and where its pages are."""
    page: LivePage | None = settings.LIVE_PAGE
    if page is None:
        scheme = "wss" if request.is_secure() else "ws"
        socket_url = f"{scheme}://{request.get_host()}{SOCKET}"
        return render(request, "home.html", {"socket_url": socket_url, "version": settings.VERSION})
    files = {
        "script": _file(page.script),
        "modules": [_file(module) for module in page.modules],
        "styles": [_file(style) for style in page.styles],
    }
    response = render(request, "live.html", files)
    response["Content-Security-Policy"] = live_page.content_security_policy(
        request.get_host(), is_secure=request.is_secure()
    )
    return response


@csrf_exempt
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process serves requests. Asks nothing else, not even the database."""
    return JsonResponse({"status": "up"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses, such as one for a host that is not ours."""
    return _error(request, problems.Problem("The request cannot be understood, or its Host is not served here."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself forbids."""
    return _error(request, problems.NotAuthorised())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token, as Django's middleware finds it."""
    return _error(request, problems.NotAuthorised(f"{reason} Load the page anew and send the form from there."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that does not exist, in the words used for a row that does not."""
    return _error(request, problems.NotFound())


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer a path of the admin that Usher has no use for, like one that does not exist."""
    return not_found(request, Http404())


def server_error(request: HttpRequest) -> HttpResponse:
    """
    Answer after a mistake of ours, or a failure of the database outside the API's views, as in the admin's.

    The log has the details of a mistake under the same request id.
    """
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and is_outage(error):
        return _error(request, cast("problems.Problem", problems.problem_of(error)))
    sentence = "The server made a mistake; its log has more under this request_id."
    return _error(request, problems.Problem(sentence, code="server_error", status=500))


def too_many_requests(request: HttpRequest, seconds: float) -> HttpResponse:
    """Answer an address that asks too often, and may ask again in so many seconds."""
    return _error(request, cast("problems.Problem", problems.problem_of(Throttled(wait=seconds))))


def _file(path: str) -> str:
    return static(f"{live_page.PREFIX}/{path}")


def _error(request: HttpRequest, problem: problems.Problem) -> HttpResponse:
    status, headers = problem.status_code, problem.headers
    if not request.path.startswith(API):
        text = f"{status} {problem.detail}\n"
        return HttpResponse(text, status=status, headers=headers, content_type="text/plain; charset=utf-8")
    answer = cast("Response", problems.problem_handler(problem, {"request": request}))
    return JsonResponse(answer.data, status=status, headers=headers, content_type=problems.CONTENT_TYPE)
