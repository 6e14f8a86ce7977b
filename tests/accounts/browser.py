"""A browser on a page of Usher's: it keeps cookies, and says where it comes from."""

import json
from http.cookies import Morsel
from typing import Any

from django.test import Client

from tests.accounts.house import PASSWORD, Answer

HERE = "http://localhost:8000"
PLAIN, SECURE = "usher_refresh", "__Secure-usher_refresh"


class Browser:
    """A browser whose page comes from ``origin``; with https there is a proxy of ours in between."""

    def __init__(self, origin: str = HERE) -> None:
        self.origin = origin
        self._client = Client(raise_request_exception=True)

    def post(self, what: str, body: Any = None, **headers: str | None) -> Answer:
        """Call ``auth/web/…`` as the page would; a header that is None is left out."""
        scheme, _, host = self.origin.partition("://")
        sent: dict[str, str | None] = {"Host": host, "Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if scheme == "https":
            sent["X-Forwarded-Proto"] = "https"
        sent |= headers
        response = self._client.generic(
            "POST",
            f"/api/v1/auth/web/{what}",
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            headers={name: value for name, value in sent.items() if value is not None},
        )
        said = json.loads(response.content) if response.content else None
        self.told: dict[str, Morsel[str]] = dict(response.cookies)
        """The cookies of the latest answer."""
        return Answer(response.status_code, said, response.content, response.headers)

    def log_in(self, username: str = "alice", *, password: str = PASSWORD, tenant: str | None = "acme") -> Answer:
        """Log somebody in."""
        credentials = {"username": username, "password": password} | ({"tenant": tenant} if tenant is not None else {})
        return self.post("token", credentials)

    @property
    def cookie(self) -> str | None:
        """The refresh token that it keeps, whichever the cookie's name."""
        kept = [self._client.cookies[name].value for name in (PLAIN, SECURE) if name in self._client.cookies]
        return next(iter(kept), None) or None

    @cookie.setter
    def cookie(self, value: str) -> None:
        self._client.cookies[PLAIN] = value
