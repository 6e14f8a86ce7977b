"""The people of a story, and all that they do, through the interfaces that anybody has: REST and sockets."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.stories.servers import Server
from tests.stories.sockets import PATIENCE, Refusal, Refused, Socket, open_socket

API = "/api/v1"
SECONDS_OF_A_LOGIN = 120
"""So long a story uses a login that an earlier one made; the tokens live 300 s."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in."""

    username: str
    tenant: str | None = "acme"
    password: str = "usher-demo"
    id: str = ""


CAST = {
    "alice": Person("alice"),
    "bob": Person("bob"),
    "trent": Person("trent"),
    "carol": Person("carol"),
    "mallory": Person("mallory", tenant="globex"),
    "olga": Person("olga", tenant=None),
}
Who = str | Person


@dataclass(frozen=True, slots=True)
class Login:
    """What a log-in gives."""

    access: str
    refresh: str


class Story:
    """
    What happens on one server during one test.

    The cast is the same in every story, so a story changes nothing about it: whoever is to be demoted, logged out or
    deactivated is hired for it. Newcomers have names that no other story uses.
    """

    def __init__(self, server: Server, logins: dict[str, tuple[float, Login]]) -> None:
        self.server = server
        self._logins = logins
        self._sockets: list[Socket] = []
        # Plain HTTP: to load certificates for it would take longer than most stories do.
        self._client = httpx.AsyncClient(base_url=server.address, timeout=PATIENCE, trust_env=False, verify=False)

    # Logging in

    async def log_in(self, who: Who) -> Login:
        """Log somebody in anew."""
        person = person_of(who)
        body = {"username": person.username, "password": person.password}
        if person.tenant is not None:
            body["tenant"] = person.tenant
        answer = await self.call("POST", "/auth/token", expect=200, **body)
        return login_of(answer)

    async def token(self, who: Who) -> str:
        """Return an access token of somebody, who logs in for it only now and then."""
        name = person_of(who).username
        at, login = self._logins.get(name, (0.0, None))
        if login is None or time.monotonic() - at > SECONDS_OF_A_LOGIN:
            login = await self.log_in(who)
            self._logins[name] = time.monotonic(), login
        return login.access

    # REST

    async def call(
        self,
        method: str,
        path: str,
        *,
        by: Who | None = None,
        token: str = "",
        expect: int | None = None,
        headers: Any = None,
        **body: Any,
    ) -> httpx.Response:
        """Call the API as somebody, or with a token, or as nobody; ``expect`` is the status that must come."""
        if by is not None:
            token = await self.token(by)
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = await self._client.request(method, f"{API}{path}", headers=headers, json=body or None)
        assert expect in (None, answer.status_code), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def sign_up(self, name: str, *, tenant: str = "acme", **fields: Any) -> Person:
        """Have somebody sign up, whose username begins with ``name``."""
        person = newcomer(name, tenant)
        body = {"username": person.username, "password": person.password, **fields}
        answer = await self.call("POST", f"/tenants/{tenant}/signup", expect=201, **body)
        return Person(person.username, tenant, person.password, answer.json()["id"])

    async def create(self, name: str, *, by: Who = "alice", **fields: Any) -> Person:
        """Have somebody create a user, whose username begins with ``name``, and who can log in."""
        person = newcomer(name, person_of(by).tenant)
        body = {"username": person.username, "password": person.password, **fields}
        answer = await self.call("POST", "/users", by=by, expect=201, **body)
        return Person(person.username, person.tenant, person.password, answer.json()["id"])

    async def hire(self, name: str, *, role: str, by: Who = "alice") -> Person:
        """Have somebody create staff, of whom this story may make what it likes."""
        return await self.create(name, by=by, role=role)

    async def grant(self, permission: str, *, on: Person, by: Who = "alice", **receiver: str) -> str:
        """Have somebody give ``role=`` or ``user=`` a permission on a user; returns the grant's id."""
        body = {"permission": permission, **receiver}
        answer = await self.call("POST", f"/users/{on.id}/grants", by=by, expect=201, **body)
        return str(answer.json()["id"])

    async def take(self, grant: str, *, on: Person, by: Who = "alice") -> None:
        """Have somebody take a grant away."""
        await self.call("DELETE", f"/users/{on.id}/grants/{grant}", by=by, expect=204)

    async def hide(self, person: Person, *, role: str, by: Who = "alice") -> None:
        """Have somebody take from a role all that it holds on a user."""
        answer = await self.call("GET", f"/users/{person.id}/grants", by=by, expect=200)
        for grant in answer.json()["results"]:
            if grant.get("role") == role:
                await self.take(grant["id"], on=person, by=by)

    async def change(self, person: Person, *, by: Who = "alice", **changes: Any) -> None:
        """Have somebody change a user."""
        await self.call("PATCH", f"/users/{person.id}", by=by, expect=200, **changes)

    async def sign_up_visible_to_all(self, name: str) -> Person:
        """
        Have somebody sign up of whom all staff hear something, even Trent, who has no default grants.

        To him the user itself does not come, since he may see it only later, but ``rights.changed`` does.
        """
        person = await self.sign_up(name)
        await self.grant("view_user", on=person, role="trainee")
        return person

    async def row(self, person: Person, *, seen_by: Who) -> dict[str, Any] | None:
        """Return the row of a user in somebody's list of users, or None."""
        answer = await self.call("GET", f"/users?q={person.username}", by=seen_by, expect=200)
        rows = [row for row in answer.json()["results"] if row.get("id") == person.id]
        assert len(rows) <= 1
        return rows[0] if rows else None

    # Sockets

    async def socket(self, who: Who, *, after: str | None = None) -> Socket:
        """Open a socket of somebody's and bring it up to date, ``after`` the last event it saw."""
        query = "" if after is None else f"?after={after}"
        socket = await self.raw_socket(token=await self.token(who), query=query)
        await socket.catch_up()
        return socket

    async def sockets(self, *people: Who) -> list[Socket]:
        """Open a socket for each of these people."""
        return [await self.socket(who) for who in people]

    async def raw_socket(self, *, token: str = "", headers: Any = None, **options: Any) -> Socket:
        """Open a socket with exactly this, and take nothing from it; raises ``Refused``."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        socket = await open_socket(self.server.address, headers=sent, **options)
        self._sockets.append(socket)
        return socket

    async def refusal(self, **handshake: Any) -> Refusal:
        """Return how a handshake is refused, which it must be; takes what ``raw_socket`` takes."""
        try:
            await self.raw_socket(**handshake)
        except Refused as refused:
            return refused.refusal
        raise AssertionError(f"{handshake} opened a socket")

    async def end(self) -> None:
        """Close all that is open."""
        for socket in self._sockets:
            await socket.leave()
        await self._client.aclose()


def person_of(who: Who) -> Person:
    """Return one of the cast by name; anybody else is given as he is."""
    return CAST[who] if isinstance(who, str) else who


def newcomer(name: str, tenant: str | None) -> Person:
    """Return somebody new of that name, with a username and a password that nobody else has."""
    return Person(f"{name}-{secrets.token_hex(4)}", tenant, secrets.token_urlsafe(12))


def login_of(answer: httpx.Response) -> Login:
    """Return the pair of tokens in an answer."""
    return Login(answer.json()["access"], answer.json()["refresh"])
