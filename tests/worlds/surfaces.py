"""Every place where something could show, each as a transcript of what one viewer is told there. New ones join here."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from tests.worlds.script import HIDDEN_MAIL, more_hidden_people
from tests.worlds.world import VIEWERS, Step, World

Body = dict[str, Any]
Surface = Callable[[World, str], Awaitable[list[str]]]
HEARTBEATS = 2
NOT_COMPARED = {"date", "server", "content-length"}
"""The length follows from the body, but for the number of digits in the server's port."""

HIDDEN, VISIBLE, FOREIGN = ("zoe", "yann", "xena"), ("dave", "erin"), ("frank",)
"""Yann is deleted by now. To Mallory Frank is visible, and all others are foreign."""


async def live(world: World, viewer: str) -> list[str]:
    """All frames on the socket that was open all the time, control frames and the end included."""
    return world.lines[viewer].said


async def resuming(world: World, viewer: str) -> list[str]:
    """What a new socket is told that names an event: one of each sort, and none at all."""
    cursors = [f"event of {name}" for name in (*VISIBLE, *HIDDEN, *FOREIGN)]
    queries = ["", *(f"?after={world.id_of(cursor)}" for cursor in cursors), f"?after={world.id_of('zoe')}"]
    told = []
    for query in queries:
        line = await world.open(viewer, query)
        if viewer != "carol":
            await line.until("synced")
        # Before it is left: how a close from this side is answered is the transport's affair.
        told += [f"{query.partition('=')[0]} {said}" for said in line.said]
        await line.leave()
    return told


async def heartbeat(world: World, viewer: str) -> list[str]:
    """Pings, while hidden people come by the dozen."""
    line = await world.open(viewer)
    if viewer == "carol":
        return line.said
    await line.until("synced")
    if viewer == "bob":
        await world.play(Step(more_hidden_people, hidden=True))
    pings = await line.pinged(HEARTBEATS)
    said = list(line.said)
    await line.leave()
    return [*said, *pings]


async def listing(world: World, viewer: str) -> list[str]:
    """The list, page by page, there and back."""
    told, oldest = [], None
    path = "/users?limit=3"
    while path:
        answer = await world.call("GET", path, by=viewer)
        told.append(_shown(answer))
        oldest = (answer.json().get("results") or [oldest])[-1]
        path = _path_of(answer.json().get("next"))
    path = f"/users?limit=3&after={oldest['id']}" if oldest else ""
    while path:
        answer = await world.call("GET", path, by=viewer)
        told.append(_shown(answer))
        path = _path_of(answer.json().get("previous"))
    return told


async def searching(world: World, viewer: str) -> list[str]:
    """Searches that would find somebody hidden, by name, contact and way of joining."""
    words = ("zoe", "hidden", HIDDEN_MAIL, "999", "dave", "mail.test")
    paths = [f"/users?q={word}" for word in words] + [f"/users?joined_via={via}" for via in ("api", "signup")]
    return [_shown(await world.call("GET", path, by=viewer)) for path in paths]


async def cursors(world: World, viewer: str) -> list[str]:
    """Pages next to a row that is visible, hidden, deleted, foreign, an event's, or none."""
    anchors = [world.id_of(name) for name in (*VISIBLE, *HIDDEN, *FOREIGN, "event of zoe")] + ["17"]
    paths = [f"/users?limit=3&before={anchor}" for anchor in anchors]
    paths += [f"/users?limit=3&after={world.id_of(name)}" for name in ("dave", "zoe")]
    return [_shown(await world.call("GET", path, by=viewer)) for path in paths]


async def rows(world: World, viewer: str) -> list[str]:
    """One user, by every method: some visible, some hidden, some foreign."""
    told = []
    for name in (*VISIBLE, *HIDDEN, *FOREIGN):
        path = f"/users/{world.id_of(name)}"
        told.append(await world.call("GET", path, by=viewer))
        if name in HIDDEN:
            told.append(await world.call("PATCH", path, by=viewer, is_active=False))
    path = f"/users/{world.id_of('zoe')}"
    told += [await world.call(method, path, by=viewer) for method in ("OPTIONS", "PUT", "DELETE")]
    bodies: list[Body] = [{"role": "owner"}, {"no": "field"}, {"is_active": "x"}]
    for body in bodies:
        told.append(await world.call("PATCH", path, by=viewer, **body))
    return [_shown(answer) for answer in told]


async def grants(world: World, viewer: str) -> list[str]:
    """Grants on one user and to one user, where either may be hidden."""
    told = []
    for name in ("dave", "zoe", "yann", "frank"):
        path = f"/users/{world.id_of(name)}/grants"
        told.append(await world.call("GET", f"{path}?limit=3", by=viewer))
        for receiver in ("zoe", "frank"):
            user = world.id_of(receiver)
            told.append(await world.call("POST", path, by=viewer, permission="view_user", user=user))
    for name, grant in (("dave", "zoe"), ("dave", "nobody"), ("zoe", "viewers"), ("zoe", "yann")):
        path = f"/users/{world.id_of(name)}/grants/{world.id_of(f'grant of {grant}')}"
        told.append(await world.call("DELETE", path, by=viewer))
    return [_shown(answer) for answer in told]


async def sessions(world: World, viewer: str) -> list[str]:
    """Sessions of somebody hidden, and one such session among those of somebody visible."""
    session = world.id_of("session of zoe")
    of_zoe, of_dave = f"/users/{world.id_of('zoe')}/sessions", f"/users/{world.id_of('dave')}/sessions"
    calls = [("GET", of_zoe), ("DELETE", of_zoe), ("DELETE", f"{of_zoe}/{session}"), ("DELETE", f"{of_dave}/{session}")]
    calls.append(("DELETE", f"/auth/sessions/{session}"))
    return [_shown(await world.call(method, path, by=viewer)) for method, path in calls]


async def own(world: World, viewer: str) -> list[str]:
    """What one is and may."""
    return [_shown(await world.call("GET", path, by=viewer)) for path in ("/me", "/auth/sessions")]


async def errors(world: World, viewer: str) -> list[str]:
    """Refusals that could depend on somebody hidden: a role, the last owner, a log-in."""
    bodies: list[Body] = [{"username": "\n"}, {"username": "new", "role": "none"}, {"username": "new", "tenant": "x"}]
    told = [await world.call("POST", "/users", by=viewer, **body) for body in bodies]
    # With another owner, whom Victor cannot see, she could go.
    told.append(await world.call("PATCH", f"/users/{world.ids['alice']}", by=viewer, role="viewer"))
    wrong = [{"tenant": "acme", "username": name, "password": "wrong"} for name in ("zoe", "xena", "never")]
    told += [await world.story.call("POST", "/auth/token", **dict[str, Any](body)) for body in wrong]
    told += [await world.call("GET", path, by=viewer) for path in ("/platform/tenants", "/nothing/here")]
    return [_shown(answer) for answer in told]


async def creating(world: World, viewer: str) -> list[str]:
    """Creations that are asked for again, with a key that was used for the same, for something else, or never."""
    told = []
    for key, username in (
        ("first", "made"),
        ("first", "made"),
        ("first", "other"),
        ("second", "made"),
        ("k k", "made"),
    ):
        headers = {"Idempotency-Key": key}
        told.append(await world.call("POST", "/users", by=viewer, headers=headers, username=f"{username}-by-{viewer}"))
    body: Body = {"username": f"guest-of-{viewer}", "password": "correct-horse"}
    for key in ("first", "first", "second"):
        headers = {"Idempotency-Key": f"{key}-{viewer}"}
        told.append(await world.story.call("POST", "/tenants/acme/signup", headers=headers, **body))
    return [_shown(answer) for answer in told]


SURFACES: dict[str, Surface] = {
    surface.__name__: surface
    for surface in (
        *(live, resuming, heartbeat, listing, searching, cursors),
        *(rows, grants, sessions, own, errors, creating),
    )
}


Place = tuple[str, str]
"""A viewer and a surface."""
EVERYWHERE: tuple[Place, ...] = tuple((viewer, surface) for viewer in VIEWERS for surface in SURFACES)


async def told_at(world: World, places: Collection[Place]) -> dict[Place, list[str]]:
    """Return what each viewer is told on each surface; last of all the live sockets are ended, and read."""
    told = {
        (viewer, name): await surface(world, viewer)
        for viewer, name in places
        if (surface := SURFACES[name]) is not live
    }
    for viewer, name in places:
        if name == live.__name__:
            if viewer not in ("carol", "mallory"):
                await world.end_sessions(viewer)
                await world.lines[viewer].until("closed")
            told[viewer, name] = await live(world, viewer)
    return told


def _path_of(link: str | None) -> str:
    return link.partition("/api/v1")[2] if link else ""


def _shown(answer: Any) -> str:
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in NOT_COMPARED)
    return f"{answer.request.method} {answer.status_code} {headers} {answer.text}"
