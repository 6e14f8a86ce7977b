"""
The judge: who may open a socket, who may hear of an event, and what he may see of it.

Sockets, resume and REST all ask here, and nothing else in the house reads guardian's grants to answer such a question.
Each function answers for many at once, in a constant number of queries, inside whatever transaction the caller has
open: the hub asks within its snapshot, so that rights and events are of one moment.

Two rules stand above all grants: a viewer is of one tenant and hears of that tenant alone, whatever he was granted
elsewhere; and only object grants count. A model-level permission or ``is_superuser`` opens nothing.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Manager, Model, Q, QuerySet, Subquery
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from realtime.kinds import EventKind
from realtime.ports import Standing
from realtime.protocol import Close
from tenants.models import Tenant
from tenants.permissions import WATCH_SIGNUPS

Rows = Callable[..., QuerySet[Any]]
"""Gives the rows of a list whose keys meet conditions, named as Django names them; ``filter`` of a QuerySet is one."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: in which session, of which tenant, in which groups, with which permissions on that tenant."""

    session_id: UUID
    user_id: UUID
    tenant_id: int
    group_ids: frozenset[int]
    permissions: frozenset[str]


class Held(msgspec.Struct, frozen=True):
    """Who holds which object permissions on one subject: holder -> codenames."""

    by_groups: Mapping[int, frozenset[str]]
    by_users: Mapping[UUID, frozenset[str]]

    def of(self, group_ids: Iterable[int], user_id: UUID | None = None) -> frozenset[str]:
        """Return what membership in these groups gives, and what a user holds by himself besides."""
        found = NOTHING
        by_groups = self.by_groups
        for group_id in group_ids:
            codenames = by_groups.get(group_id)
            if codenames is not None:
                found = found | codenames if found else codenames
        return found if user_id is None or not self.by_users else found | self.by_users.get(user_id, NOTHING)

    def of_viewer(self, viewer: Viewer) -> frozenset[str]:
        """Return all that a viewer holds."""
        return self.of(viewer.group_ids, viewer.user_id)


NOTHING: frozenset[str] = frozenset()
BY_NOBODY: Mapping[Any, frozenset[str]] = {}


@dataclass(slots=True)
class Grants:
    """
    Who holds which object permissions on some subjects: subject -> holder -> codenames.

    What several subjects have alike may be one object. None is ever changed.
    """

    of_groups: dict[UUID, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    of_users: dict[UUID, Mapping[UUID, frozenset[str]]] = field(default_factory=dict)

    def on(self, subject_id: UUID) -> Held:
        """Return who holds what on a subject."""
        # To look up an id takes a microsecond, and hardly anybody holds something by himself.
        of_users = self.of_users.get(subject_id, BY_NOBODY) if self.of_users else BY_NOBODY
        return Held(self.of_groups.get(subject_id, BY_NOBODY), of_users)


def viewers_of(standings: Iterable[Standing]) -> dict[UUID, Viewer]:
    """Return the viewer behind each session; operators, who are of no tenant, have none."""
    return {
        standing.session_id: Viewer(
            session_id=standing.session_id,
            user_id=standing.user_id,
            tenant_id=standing.tenant_id,
            group_ids=standing.group_ids,
            permissions=standing.permissions,
        )
        for standing in standings
        if standing.tenant_id is not None
    }


def held_on_own_tenant(vendor: str, *, user: str, tenant: str, groups: str) -> str:
    """
    Return SQL for what a user holds on its tenant, codenames one a line or NULL: for ``Standing.permissions``.

    SQL too are ``user`` and ``tenant``, the columns that name them in whatever it is part of, and ``groups``, a query
    for the ids of the user's groups. So who stands behind a session and what he may are of one moment.
    """
    codenames = "string_agg(p.codename, chr(10))" if vendor == "postgresql" else "group_concat(p.codename, char(10))"
    of_groups, of_users = _group_grants(Tenant).model._meta.db_table, _user_grants(Tenant).model._meta.db_table
    return (
        f"(SELECT {codenames} FROM auth_permission p WHERE p.id IN ("  # noqa: S608  our own names
        f"SELECT g.permission_id FROM {of_groups} g WHERE g.content_object_id = {tenant} AND g.group_id IN ({groups}) "
        f"UNION ALL SELECT g.permission_id FROM {of_users} g WHERE g.content_object_id = {tenant} "
        f"AND g.user_id = {user}))"
    )


def viewer_of(standing: Standing) -> Viewer:
    """Return the viewer behind one session; raises ``LookupError`` for an operator, who is of no tenant."""
    try:
        return viewers_of([standing])[standing.session_id]
    except KeyError:
        raise LookupError(f"{standing.username} is an operator; only a user of a tenant views its data") from None


def refusal_of(standing: Standing | None, viewer: Viewer | None, *, now: float) -> Close | None:
    """Return why this session may not watch its tenant at ``now`` (seconds since the epoch), or None if it may."""
    if standing is None or standing.session_ended or standing.session_expires_at <= now:
        is_deactivated = standing is not None and not standing.is_user_active
        return Close.NOT_AUTHORISED if is_deactivated else Close.SESSION_ENDED
    if not standing.is_user_active or viewer is None:
        return Close.NOT_AUTHORISED
    if not standing.is_tenant_active:
        return Close.TENANT_SUSPENDED
    return None if WATCH_SIGNUPS in viewer.permissions else Close.NOT_AUTHORISED


def grants_on(subject: str, subject_ids: Collection[UUID]) -> Grants:
    """Return who holds what on these subjects, all of one model ("accounts.User"), in one query."""
    reader = HeldReader()
    if not subject_ids:
        return reader.grants
    # A query of Django's own, and a row for each codename, took most of what an event costs the hub's reader.
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        if cursor.db.vendor == "postgresql":
            subjects, ids = "unnest(%s::uuid[]) AS s(value)", f"{{{','.join(map(str, subject_ids))}}}"
        else:
            subjects, ids = "json_each(%s) s", json.dumps([each.hex for each in subject_ids])
        held = ", ".join(held_on("s.value", subject, vendor=cursor.db.vendor))
        cursor.execute(f"SELECT s.value, {held} FROM {subjects}", [ids])  # noqa: S608  our own names
        for subject_id, to_groups, to_users in cursor.fetchall():
            reader.read(subject_id if isinstance(subject_id, UUID) else UUID(subject_id), to_groups, to_users)
    return reader.grants


def held_on(subject_id: str, subject: str, *, vendor: str) -> tuple[str, str]:
    """
    Return SQL for what groups, and for what users, hold on a subject of a model, for ``HeldReader`` to read.

    ``subject_id`` is SQL too: the column that names the subject, of whatever the two are part of.
    """
    model = _model(subject)
    pairs = "json_group_array(json_array(g.{0}, p.codename))"
    if vendor == "postgresql":
        pairs = "json_agg(json_build_array(g.{0}, p.codename))::text"

    def held(grants: type[Model], holder: str) -> str:
        return (
            f"(SELECT {pairs.format(holder)} FROM {grants._meta.db_table} g "  # noqa: S608  our own names
            f"JOIN auth_permission p ON p.id = g.permission_id WHERE g.content_object_id = {subject_id})"
        )

    return held(_group_grants(model).model, "group_id"), held(_user_grants(model).model, "user_id")


class HeldReader:
    """
    Makes ``Grants`` of what ``held_on`` finds.

    What is the same on many subjects, as with the default grants of a tenant, is decoded once, and one object then.
    """

    def __init__(self) -> None:
        self.grants = Grants()
        self._of_groups: dict[str, Mapping[int, frozenset[str]]] = {}

    def read(self, subject_id: UUID, to_groups: str | None, to_users: str | None) -> None:
        """Take in what is held on a subject: each a list of [holder, codename] in JSON; of none, nothing."""
        if to_groups is not None and to_groups != "[]":
            held = self._of_groups.get(to_groups)
            if held is None:
                by_group = _kept_by_group if len(to_groups) <= LONGEST_KEPT else _by_group
                held = self._of_groups[to_groups] = by_group(to_groups)
            self.grants.of_groups[subject_id] = held
        if to_users is not None and to_users != "[]":
            self.grants.of_users[subject_id] = _by_holder(_user_pairs.decode(to_users))


_group_pairs = msgspec.json.Decoder(list[tuple[int, str]])
_user_pairs = msgspec.json.Decoder(list[tuple[UUID, str]])
Holder = TypeVar("Holder", int, UUID)


def _by_group(pairs: str) -> Mapping[int, frozenset[str]]:
    return _by_holder(_group_pairs.decode(pairs))


LONGEST_KEPT = 4096
"""Characters; some thirty roles with four permissions each. What is longer is not kept from one batch to the next."""
_kept_by_group = lru_cache(maxsize=2048)(_by_group)
"""
What a text says, which is the same whenever it is read: no right is remembered here, only how it is spelt.

Two megabytes with the usual roles; 27 at most, if thousands of tenants have as many of their own as fit.
A class of viewers keeps what it has asked about last besides, as long as one of them watches.
"""


def _by_holder(pairs: Iterable[tuple[Holder, str]]) -> Mapping[Holder, frozenset[str]]:
    held: dict[Holder, set[str]] = defaultdict(set)
    for holder, codename in pairs:
        held[holder].add(codename)
    return {holder: _one_of(frozenset(codenames)) for holder, codenames in held.items()}


@lru_cache(maxsize=1024)
def _one_of(codenames: frozenset[str]) -> frozenset[str]:
    """
    Return one object for all that are equal: thousands of tenants have the same roles.

    What is looked up by it is found without a look into it, and it is in the processor's cache already.
    """
    return codenames


def permissions_on(kind: EventKind, viewer: Viewer, subject_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """
    Return what one viewer holds on each subject, as his tenant's; a subject of another tenant has nothing.

    Two queries whatever the subjects are, so that the time of the answer does not tell whether they exist.
    """
    own = set(
        _model(kind.subject)
        ._default_manager.filter(pk__in=subject_ids, tenant_id=viewer.tenant_id)
        .values_list("pk", flat=True)
    )
    grants = grants_on(kind.subject, subject_ids)
    return {
        subject_id: frozenset(grants.on(subject_id).of_viewer(viewer)) if subject_id in own else NOTHING
        for subject_id in subject_ids
    }


def visible_subjects(kind: EventKind, viewer: Viewer, permission: str | None = None) -> QuerySet[Any]:
    """
    Return the ids of the subjects on which a viewer holds ``permission`` (by default: the one to hear of them).

    To be used as a subquery, for lists; of the viewer's tenant alone. What a row then shows is for
    ``permissions_on`` to say.
    """
    model = _model(kind.subject)
    codename = kind.hear if permission is None else permission
    wanted = {"permission__codename": codename}
    by_group = _group_grants(model).filter(group_id__in=viewer.group_ids, **wanted)
    by_user = _user_grants(model).filter(user_id=viewer.user_id, **wanted)
    return (
        model._default_manager.filter(tenant_id=viewer.tenant_id)
        .filter(Q(pk__in=by_group.values("content_object_id")) | Q(pk__in=by_user.values("content_object_id")))
        .values("pk")
    )


def visible_in_parts(kind: EventKind, viewer: Viewer) -> list[Rows]:
    """
    Return the subjects that a viewer may hear of, one part by each of his groups and one by himself, for pages of them.

    A part, called with conditions on the keys of its rows (``pk``, ``pk__lt``, ``pk__gt``), gives these rows. It finds
    those next to a key by index, however many there are and however few of them he sees; ``visible_subjects``, which
    has all in one, looks at all grants there are. A row may be in several parts.
    """
    model = _model(kind.subject)
    # By its id, and not joined: the grants of one holder and one permission are in the order of the subjects' keys.
    permission = Permission.objects.filter(
        codename=kind.hear, content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name
    )
    wanted = {"permission_id": Subquery(permission.values("pk")[:1])}

    def part(grants: QuerySet[Any], **where: UUID) -> QuerySet[Any]:
        # Said of both: that what is less than a key is so in either table, the planner does not conclude.
        held = grants.filter(**{name.replace("pk", "content_object_id", 1): key for name, key in where.items()})
        ids = held.values("content_object_id")
        return model._default_manager.filter(tenant_id=viewer.tenant_id, pk__in=ids, **where)

    by_groups = [_group_grants(model).filter(group_id=group_id, **wanted) for group_id in sorted(viewer.group_ids)]
    return [
        partial(part, grants) for grants in (*by_groups, _user_grants(model).filter(user_id=viewer.user_id, **wanted))
    ]


def _group_grants(model: type[Model]) -> Manager[Any]:
    return get_group_obj_perms_model(cast("Any", model))._default_manager  # guardian's hints know instances only


def _user_grants(model: type[Model]) -> Manager[Any]:
    return get_user_obj_perms_model(cast("Any", model))._default_manager


def _model(subject: str) -> type[Model]:
    return apps.get_model(subject)
