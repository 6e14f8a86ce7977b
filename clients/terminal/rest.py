"""The REST of a running server, as far as a terminal needs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from clients.terminal.verdicts import seconds_of

TIMEOUT_SECONDS = 10.0
AGENT = "usher-terminal"


class Unreachable(Exception):
    """Nobody answered, or not in HTTP."""


class Refused(Exception):
    """The server answered, and said no."""

    def __init__(self, *, status: int, code: str, detail: str, wait_seconds: float = 0.0) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.wait_seconds = wait_seconds


class InvalidAddress(ValueError):
    """An address that is no server's."""


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would become a GET, and a token would follow to wherever the answer points."""

    def redirect_request(self, *_: object) -> None:
        """Follow none, whatever it is."""


@dataclass(frozen=True, slots=True)
class Rest:
    """
    Sends requests to the server at ``address`` (``http://127.0.0.1:8000``), one at a time and blocking.

    Every method raises ``Unreachable`` or ``Refused``. Proxies are taken from the environment, except for this machine.
    """

    address: str
    _opener: OpenerDirector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and not parts.query
        if not is_one:
            raise InvalidAddress(f"the address is {self.address!r}; expected one such as http://127.0.0.1:8000")
        proxies = ProxyHandler({}) if is_this_machine(parts.hostname or "") else ProxyHandler()
        object.__setattr__(self, "address", f"{parts.scheme}://{parts.netloc}")
        object.__setattr__(self, "_opener", build_opener(proxies, _NoRedirects))

    def post(self, path: str, body: Mapping[str, Any], *, token: str | None = None) -> Any:
        """Send ``body`` as JSON and return the answer's."""
        return self._send("POST", path, token, json.dumps(body).encode())

    def get(self, path: str, *, token: str) -> Any:
        """Return what is at ``path``; of a whole address, such as a list's ``next``, only path and query count."""
        # Whatever a server puts into a link, a token goes to the server that it was got from and to no other.
        return self._send("GET", urlunsplit(("", "", *urlsplit(path)[2:])), token, None)

    def _send(self, method: str, path: str, token: str | None, body: bytes | None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": AGENT}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self.address + path, data=body, headers=headers, method=method)  # noqa: S310  see __post_init__
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                content = response.read()
            return json.loads(content) if content else None
        except HTTPError as error:
            raise _refusal(error) from None
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(f"{self.address} does not answer ({getattr(error, 'reason', error)})") from error


def is_this_machine(host: str) -> bool:
    """Whether a host name stands for the machine that we are on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(error: HTTPError) -> Refused:
    with error:
        try:
            problem = json.loads(error.read())
            code, detail = str(problem["code"]), str(problem["detail"])
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            code, detail = "", f"{error.code} {error.reason}"
    return Refused(status=error.code, code=code, detail=detail, wait_seconds=seconds_of(error.headers["Retry-After"]))
