"""
Whatever happens to roles, grants and people, each socket gets what guardian, asked one question at a time, would allow.

The oracle knows nothing of counters, classes or snapshots: after every step it asks ``has_perm`` of a fresh user object
about every viewer, every subject and every permission.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.kinds import USER_CREATED
from accounts.models import Role, Session, User
from accounts.permissions import ON_TENANTS, ON_USERS, VIEW_USER, WATCH_SIGNUPS
from tenants.models import Tenant
from tests.realtime.house import Socket, house, make_session, make_tenant, make_user

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.timeout(600)]

VIEWERS, SUBJECTS = 3, 2
viewers = st.tuples(st.integers(0, 1), st.integers(0, VIEWERS - 1))
subjects = st.tuples(st.integers(0, 1), st.integers(0, SUBJECTS - 1))
groups = st.tuples(st.integers(0, 1), st.integers(0, 3))
steps = st.one_of(
    st.tuples(st.just("create"), st.integers(0, 1)),
    st.tuples(st.just("create and revoke"), viewers),
    st.tuples(st.sampled_from(["join", "leave"]), viewers, groups),
    st.tuples(st.sampled_from(["grant", "take"]), viewers, subjects, st.sampled_from(ON_USERS)),
    st.tuples(st.sampled_from(["grant group", "take group"]), groups, subjects, st.sampled_from(ON_USERS)),
    st.tuples(st.sampled_from(["allow", "forbid"]), viewers, st.integers(0, 1), st.sampled_from(ON_TENANTS)),
    st.tuples(st.sampled_from(["allow group", "forbid group"]), groups, st.sampled_from(ON_TENANTS)),
    st.tuples(st.sampled_from(["deactivate", "activate", "end session", "connect"]), viewers),
    st.tuples(st.sampled_from(["suspend", "resume"]), st.integers(0, 1)),
)


@dataclass
class World:
    """Two tenants with roles, viewers who watch and subjects who exist; and what each viewer's socket should have."""

    tenants: list[Tenant] = field(default_factory=list)
    groups: list[list[Group]] = field(default_factory=list)
    viewers: list[list[User]] = field(default_factory=list)
    subjects: list[list[User]] = field(default_factory=list)
    sessions: dict[Any, Session] = field(default_factory=dict)


def _make_world() -> World:
    world = World()
    for name in ("acme", "globex"):
        tenant = make_tenant(f"{name}-{uuid4().hex[:8]}")
        world.tenants.append(tenant)
        names = ("owner", "admin", "viewer")
        world.groups.append([Role.objects.get(tenant=tenant, name=n).group for n in names])
        world.groups[-1].append(Group.objects.create(name=f"nobody's {uuid4().hex}"))
        world.viewers.append([make_user(tenant, f"viewer {n}", names[n]) for n in range(VIEWERS)])
        world.subjects.append([make_user(tenant, f"subject {n}") for n in range(SUBJECTS)])
    for viewer in (viewer for people in world.viewers for viewer in people):
        world.sessions[viewer.pk] = make_session(viewer)
    return world


def _take(world: World, step: tuple[Any, ...]) -> None:  # noqa: C901  a list of what can happen, one case each
    """Carry a step out as some client of the database would: by services, guardian or the ORM."""
    match step:
        case ("create", tenant):
            world.subjects[tenant].append(make_user(world.tenants[tenant], uuid4().hex, email="d@acme.test"))
        case ("create and revoke", (tenant, viewer)):
            with transaction.atomic():
                world.subjects[tenant].append(make_user(world.tenants[tenant], uuid4().hex))
                world.viewers[tenant][viewer].groups.clear()
        case ("join", (tenant, viewer), (other, group)):
            world.viewers[tenant][viewer].groups.add(world.groups[other][group])
        case ("leave", (tenant, viewer), (other, group)):
            world.viewers[tenant][viewer].groups.remove(world.groups[other][group])
        case ("grant" | "take" as which, (tenant, viewer), (other, subject), permission):
            change = assign_perm if which == "grant" else remove_perm
            change(permission, world.viewers[tenant][viewer], world.subjects[other][subject])
        case ("grant group" | "take group" as which, (tenant, group), (other, subject), permission):
            change = assign_perm if which == "grant group" else remove_perm
            change(permission, world.groups[tenant][group], world.subjects[other][subject])
        case ("allow" | "forbid" as which, (tenant, viewer), other, permission):
            change = assign_perm if which == "allow" else remove_perm
            change(permission, world.viewers[tenant][viewer], world.tenants[other])
        case ("allow group" | "forbid group" as which, (tenant, group), permission):
            change = assign_perm if which == "allow group" else remove_perm
            change(permission, world.groups[tenant][group], world.tenants[tenant])
        case ("deactivate" | "activate" as which, (tenant, viewer)):
            User.objects.filter(pk=world.viewers[tenant][viewer].pk).update(is_active=which == "activate")
        case ("end session", (tenant, viewer)):
            session = world.sessions[world.viewers[tenant][viewer].pk]
            Session.objects.filter(pk=session.pk).update(ended_at=session.created_at)
        case ("connect", (tenant, viewer)):
            user = world.viewers[tenant][viewer]
            world.sessions[user.pk] = make_session(user)
        case ("suspend" | "resume" as which, tenant):
            Tenant.objects.filter(pk=world.tenants[tenant].pk).update(is_active=which == "resume")


def _may_watch(world: World, viewer: User) -> bool:
    """Ask guardian, with a fresh user object, whether a viewer may have a socket."""
    fresh = User.objects.select_related("tenant").get(pk=viewer.pk)
    session = Session.objects.get(pk=world.sessions[viewer.pk].pk)
    assert fresh.tenant is not None
    return (
        fresh.is_active
        and session.ended_at is None
        and fresh.tenant.is_active
        and fresh.has_perm(f"tenants.{WATCH_SIGNUPS}", fresh.tenant)
    )


def _visible(viewer: User, subject: User) -> frozenset[str]:
    """Ask guardian which fields of a subject a viewer sees: of his own tenant, and only those he may hear of."""
    fresh = User.objects.get(pk=viewer.pk)
    if fresh.tenant_id != subject.tenant_id or not fresh.has_perm(f"accounts.{VIEW_USER}", subject):
        return frozenset()
    return frozenset(f.name for f in USER_CREATED.fields if fresh.has_perm(f"accounts.{f.permission}", subject))


def _picture(world: World) -> dict[Any, tuple[bool, dict[Any, frozenset[str]], object]]:
    """What every viewer may: watch or not, which fields of whom, and what he himself is."""
    return {
        viewer.pk: (
            _may_watch(world, viewer),
            {s.pk: _visible(viewer, s) for people in world.subjects for s in people},
            (
                frozenset(viewer.groups.values_list("pk", flat=True)),
                frozenset(
                    p for p in ON_TENANTS if User.objects.get(pk=viewer.pk).has_perm(f"tenants.{p}", viewer.tenant)
                ),
            ),
        )
        for people in world.viewers
        for viewer in people
    }


async def _play(script: list[tuple[Any, ...]]) -> None:
    async with house() as home:
        world: World = await home.write(_make_world)
        sockets: dict[Any, Socket] = {}
        for viewer, session in world.sessions.items():
            sockets[viewer] = await home.socket(session)
        before = await home.write(_picture, world)
        for step in script:
            seen = {viewer: len(socket.frames) for viewer, socket in sockets.items()}
            known = {subject.pk for people in world.subjects for subject in people}
            await home.write(_take, world, step)
            if step[0] == "connect":
                viewer = world.viewers[step[1][0]][step[1][1]].pk
                sockets[viewer] = await home.socket(world.sessions[viewer])
                seen[viewer] = 0
            await home.read_all()
            after = await home.write(_picture, world)
            for viewer, socket in sockets.items():
                _compare(socket, socket.frames[seen[viewer] :], before[viewer], after[viewer], known, step)
            before = after


def _compare(socket: Socket, frames: list[dict[str, Any]], before: Any, after: Any, known: set[Any], step: Any) -> None:
    may_watch, sees, _ = after
    if not may_watch:
        assert socket.closed is not None, f"{step}: the socket of one who may not watch is open"
        assert not [frame for frame in frames if frame["type"] == "user.created"], f"{step}: heard of it all the same"
        return
    if socket.closed is not None:
        return  # closed by an earlier step; only "connect" opens another
    fresh = {str(subject): fields for subject, fields in sees.items() if subject not in known and fields}
    heard = {frame["data"]["id"]: frozenset(frame["data"]) for frame in frames if frame["type"] == "user.created"}
    assert heard == fresh, step
    told = any(frame["type"] == "rights.changed" for frame in frames)
    if step[0] == "connect":
        return  # he begins from what is now
    sees_differently = any(sees[subject] != before[1][subject] for subject in known)
    assert told == (sees_differently or after[2] != before[2]), f"{step}: told {told}"


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(script=st.lists(steps, min_size=1, max_size=14))
def test_each_socket_gets_what_guardian_would_allow(script):
    asyncio.run(_play(script))
