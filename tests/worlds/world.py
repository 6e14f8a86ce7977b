"""
One of two worlds in which the same happens, but for users whom the viewers at hand may not see.

It is a real server on a database of its own. What staff do goes through REST; what has no call there, such as creating
somebody whom no role but the owners' may see, is done to the database as other code of the house would do it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, transaction
from django.utils import timezone

from accounts.grants import give_grant
from accounts.models import Role, Session, User
from accounts.permissions import OWNER, VIEW_USER
from accounts.roles import create_role
from accounts.users import create_user
from realtime.identity import new_id
from realtime.models import Event
from tenants.permissions import ON_TENANTS
from tests.accounts.house import PASSWORD, House
from tests.stories.people import Person, Story
from tests.stories.servers import Server
from tests.worlds.lines import Line

VIEWERS = ("bob", "peggy", "victor", "trent", "carol", "mallory")
"""
Whose transcripts are compared: Bob, a viewer; Peggy, an admin; Victor, who may do all that an owner may; Trent, who
sees whom he is shown; Carol, who may not watch; Mallory, of another tenant. Alice, the owner, is the witness.
"""
WITNESS = "alice"


@dataclass(frozen=True, slots=True)
class Step:
    """
    Something that happens. ``hidden``: it is about users whom no viewer may see, and happens in one world only.

    ``heard``: the frames by which somebody learns of it, which are waited for, so that the next step is a later batch.
    """

    does: "Callable[[World], Awaitable[object]]"
    heard: dict[str, str] = field(default_factory=dict)
    hidden: bool = False


class World:
    """What has happened in one world, and how it looked to everybody."""

    def __init__(self, server: Server, house: House, *, has_hidden: bool, seen_all_the_same: bool = False) -> None:
        self.server, self.house, self.has_hidden = server, house, has_hidden
        self.seen_all_the_same = seen_all_the_same
        """Whether hidden people are born like all others: a world that must not pass for the other one."""
        self.story = Story(server, {})
        self.lines: dict[str, Line] = {}
        self._tokens: dict[str, str] = {}
        self.ids = {name: str(house.id(name)) for name in (WITNESS, *VIEWERS)}
        self._writer = ThreadPoolExecutor(max_workers=1)

    async def begin(self) -> None:
        """Open a line for everybody who may watch, and for who may not."""
        for name in (WITNESS, *VIEWERS):
            self.lines[name] = await self.open(name)
            if name != "carol":
                await self.lines[name].until("synced")

    async def play(self, *steps: Step) -> None:
        """Have these things happen, one after the other."""
        for step in steps:
            if step.hidden and not self.has_hidden:
                continue
            await step.does(self)
            for name, kind in step.heard.items():
                await self.lines[name].until(kind)

    async def end(self) -> None:
        """Close everything."""
        for line in self.lines.values():
            await line.leave()
        await self.story.end()
        await self.write(connections.close_all)
        self._writer.shutdown()

    async def open(self, name: str, query: str = "") -> Line:
        """Open another line of somebody's."""
        return await Line.open(self.server.address, token=await self.token(name), query=query)

    async def token(self, name: str) -> str:
        """Return the access token of somebody's one log-in: how many there were is told, and must not hang on time."""
        if name not in self._tokens:
            self._tokens[name] = (await self.story.log_in(self.person(name))).access
        return self._tokens[name]

    def person(self, name: str) -> Person:
        """Return somebody as a caller of the API."""
        return Person(name, "globex" if name == "mallory" else "acme", PASSWORD, self.ids.get(name, ""))

    def id_of(self, name: str) -> str:
        """Return an id by name; one that was never made here stands for what this world does not have."""
        return self.ids.setdefault(name, str(new_id()))

    async def write(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something to the database."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, lambda: call(*args, **kwargs))

    async def call(
        self, method: str, path: str, *, by: str, expect: int | None = None, headers: Any = None, **body: Any
    ) -> Any:
        """Call the API as somebody."""
        token = await self.token(by)
        return await self.story.call(method, path, token=token, expect=expect, headers=headers, **body)

    async def join(self, name: str, *, tenant: str = "acme", **fields: Any) -> None:
        """Have somebody sign up."""
        body = {"username": name, "password": PASSWORD, **fields}
        answer = await self.story.call("POST", f"/tenants/{tenant}/signup", expect=201, **body)
        self.ids[name] = answer.json()["id"]
        self.ids[f"event of {name}"] = await self.write(_event_of, self.ids[name])

    async def be_born_hidden(self, *names: str, **fields: Any) -> None:
        """Create people whom owners alone may see from the first moment on."""
        born = await self.write(_born_hidden, self.house, names, fields, for_all=self.seen_all_the_same)
        for user in born:
            self.ids[user.username] = str(user.pk)
            self.ids[f"event of {user.username}"] = await self.write(_event_of, user.pk)

    async def end_sessions(self, name: str) -> None:
        """Log somebody out everywhere."""
        sessions = Session.objects.filter(user_id=self.ids[name])
        await self.write(sessions.update, ended_at=timezone.now(), end_reason="ended_by_staff")

    async def give(self, permission: str, *, on: str, name: str, **receiver: str) -> None:
        """Have Alice give a grant, which is known by ``name``."""
        body = {"permission": permission, **receiver}
        answer = await self.call("POST", f"/users/{self.ids[on]}/grants", by=WITNESS, expect=201, **body)
        self.ids[name] = answer.json()["id"]

    async def take(self, permission: str, *, on: str, role: str) -> None:
        """Have Alice take a role's grant away."""
        path = f"/users/{self.ids[on]}/grants"
        found = (await self.call("GET", path, by=WITNESS, expect=200)).json()["results"]
        (grant,) = [g["id"] for g in found if g.get("role") == role and g["permission"] == permission]
        await self.call("DELETE", f"{path}/{grant}", by=WITNESS, expect=204)


def build() -> House:
    """Put the cast into the database, and Victor: he may do all that an owner may, and does not see everybody."""
    house = House()
    every = ("view_user", "view_user_contact", "view_user_origin")
    create_role(house.acme, "manager", permissions=ON_TENANTS, default_grants=every)
    victor = house.add("victor", role="manager", password=PASSWORD)
    give_grant(subject=house.user("alice"), permission=VIEW_USER, to=victor)
    return house


def _born_hidden(house: House, names: tuple[str, ...], fields: dict[str, Any], *, for_all: bool) -> list[User]:
    with transaction.atomic():
        blinded = {} if for_all else {role: set(role.default_grants.all()) for role in _roles_but_owner(house)}
        for role in blinded:
            role.default_grants.clear()
        born = [create_user(tenant=house.acme, username=name, joined_via="api", **fields) for name in names]
        for role, grants in blinded.items():
            role.default_grants.set(grants)
    return born


def _roles_but_owner(house: House) -> list[Role]:
    return list(Role.objects.filter(tenant=house.acme).exclude(name=OWNER))


def _event_of(user_id: Any) -> str:
    return str(Event.objects.values_list("id", flat=True).get(subject_id=user_id))
