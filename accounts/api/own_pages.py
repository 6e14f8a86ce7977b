"""Which pages may use the cookie that holds a refresh token: our own, and those that the house has named."""

from django.conf import settings
from django.http.request import split_domain_port
from rest_framework.request import Request

from accounts.api.problems import Problem
from realtime.addresses import is_loopback
from realtime.origin import is_allowed

CROSS_SITE = "cross-site"
LONGEST_SHOWN = 100


class OriginNotAllowed(Problem):
    """A page of somebody else's calls, or something that does not say what page it is."""

    status_code = 403
    code = "origin_not_allowed"


class InsecureConnection(Problem):
    """A cookie that is a key would go over a network for everybody to read."""

    status_code = 403
    code = "insecure_connection"
    sentence = (
        "The page came by http from another machine; expected https, or localhost. Behind a proxy that speaks TLS, "
        "name it in USHER_TRUSTED_PROXIES and have it send X-Forwarded-Proto."
    )


def refuse_other_pages(request: Request) -> None:
    """
    Raise ``OriginNotAllowed`` unless a page calls that may, ``InsecureConnection`` where it could be overheard.

    The rule is that of sockets, and stricter: since a cookie opens what is behind this, who does not say where he comes
    from is refused as well. Browsers say it with every POST.
    """
    headers = request.META
    origin = headers.get("HTTP_ORIGIN")
    allowed = [*settings.USHER.allowed_origins, f"{request.scheme}://{request.get_host()}"]
    if origin is None or not is_allowed([origin], allowed):
        shown = "missing" if origin is None else repr(origin[:LONGEST_SHOWN])
        raise OriginNotAllowed(
            f"Origin is {shown}; expected this server's own or one of USHER_ALLOWED_ORIGINS. "
            "Programs other than pages log in at /api/v1/auth/token."
        )
    if headers.get("HTTP_SEC_FETCH_SITE") == CROSS_SITE:
        raise OriginNotAllowed("Sec-Fetch-Site is 'cross-site'; expected a page of this server's own site.")
    if not request.is_secure() and not is_loopback(split_domain_port(request.get_host())[0]):
        raise InsecureConnection
