"""Services that make and change users. Every feature that makes one comes through here."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction

from accounts import newcomers, roles, sessions
from accounts.acting import as_he_is_now, refuse_at_closed_doors, refuse_hidden
from accounts.idempotency import Once
from accounts.models import JoinedVia, Role, User
from accounts.newcomers import Checked
from accounts.permissions import MANAGE_USERS, OWNER
from accounts.refusals import FieldsRefused, NotAuthorised
from accounts.retries import retried
from realtime import bell
from realtime.rights import Viewer
from tenants.models import Tenant

CHUNK = 500
"""So many users are created in one transaction at most: while it lasts, the tenant's log is locked."""
PAUSE_SECONDS = 0.1
"""Between two chunks, so that others come in between. On SQLite who waits to write looks every 0.1 s whether he may."""


def create_user(  # noqa: PLR0913  all that can be known of a newcomer, by name
    *,
    tenant: Tenant,
    username: str,
    joined_via: str,
    email: str = "",
    full_name: str = "",
    phone: str = "",
    password: str | None = None,
    role: str | None = None,
    address: str | None = None,
    agent: str = "",
    created_by: Viewer | None = None,
    once: Once | None = None,
    witness: Callable[[User, Viewer], None] | None = None,
) -> User:
    """
    Create a user of a tenant, with the role's membership, the default grants and the event, in one transaction.

    Without ``password`` the user cannot log in; without ``role`` it is a member. Address and agent are kept for a
    sign-up alone. ``created_by`` None means the house itself; anybody else must hold ``manage_users``, still after the
    hashing. ``once``: the key under which it is made. ``witness`` is called with the user and its creator as they are
    in the transaction, when nothing is left but the commit; once more if that has to be tried again. Raises
    ``FieldsRefused``, ``UsernameTaken``, ``UnknownRole``, ``NotHeld`` for a role beyond the creator's own, and what
    ``as_he_is_now`` raises of him; for a sign-up ``SignupClosed`` and ``TenantSuspended``; with a key what its
    ``claim`` raises.
    """
    fields: dict[str, Any] = {
        "tenant": tenant,
        "username": username,
        "full_name": full_name,
        "email": email,
        "phone": phone,
        "joined_via": joined_via,
    }
    if joined_via == JoinedVia.SIGNUP:
        refuse_at_closed_doors(tenant)
        fields |= {"address": address, "agent": agent}
    newcomer = newcomers.checked(fields, password=password, first_role=_role_to_give(tenant, role, created_by))

    def judge(users: Sequence[User]) -> None:
        if joined_via == JoinedVia.SIGNUP:
            refuse_at_closed_doors(Tenant.objects.get(pk=tenant.pk))
        creator = _creator_by_now([newcomer], created_by)
        if creator is not None and witness is not None:
            witness(users[0], creator)

    (user,) = newcomers.insert(tenant, [newcomer], once=once, last=judge)
    return user


def create_founder(*, username: str, email: str, password: str, found: Callable[[], Tenant]) -> tuple[Tenant, User]:
    """
    Create a tenant by ``found`` and its owner, by the house's hand, and return both: together or not at all.

    A tenant without an owner is of no use, and its slug would be taken. Raises ``FieldsRefused`` of the owner, and what
    ``found`` raises. The password is hashed before the transaction.
    """
    fields = {"username": username, "email": email, "joined_via": JoinedVia.COMMAND}
    founder = newcomers.checked(fields, password=password)
    with transaction.atomic():
        tenant = found()
        owner = roles.role_named(tenant.pk, OWNER)
        (user,) = newcomers.insert(tenant, [Checked({**founder.fields, "tenant": tenant}, owner)])
    return tenant, user


def create_operator(*, username: str, password: str, full_name: str = "", email: str = "") -> User:
    """Create an operator: of no tenant, and without an event. Raises ``FieldsRefused`` and ``UsernameTaken``."""
    fields = {"username": username, "full_name": full_name, "email": email, "is_staff": True}
    (operator,) = newcomers.insert(None, [newcomers.checked(fields, password=password)])
    return operator


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be imported."""

    username: str
    full_name: str = ""
    email: str = ""
    phone: str = ""
    role: str | None = None


class Import:
    """An import into one tenant, step by step, for lists that are too long to be held; see ``import_users``."""

    def __init__(self, tenant: Tenant, *, imported_by: Viewer | None = None) -> None:
        self._tenant = tenant
        self._imported_by = imported_by
        self._roles: dict[str | None, Role | None] = {}
        self._has_begun = False

    def checked(self, person: Newcomer) -> Checked:
        """Return somebody fit to be created; raises ``FieldsRefused``, ``UnknownRole`` and ``NotHeld``."""
        fields: dict[str, Any] = {**asdict(person), "tenant": self._tenant, "joined_via": JoinedVia.IMPORT}
        name = fields.pop("role")
        if name not in self._roles:
            self._roles[name] = _role_to_give(self._tenant, name, self._imported_by)
        return newcomers.checked(fields, password=None, first_role=self._roles[name])

    def taken(self, usernames: Collection[str]) -> set[str]:
        """Return those of these normalised usernames, a chunk of them at most, that the tenant has already."""
        rows = User.objects.filter(tenant=self._tenant, username__in=usernames)
        return set(rows.values_list("username", flat=True))

    def create(self, chunk: Sequence[Checked]) -> int:
        """
        Create a chunk, all of it or nothing; returns how many they are.

        Raises ``UsernameTaken``, and what importing somebody who may not any more raises: see ``create_user``.
        """
        self._roles.clear()  # one that is deleted meanwhile is told of by name at the next chunk
        if not chunk:
            return 0
        if self._has_begun:  # before a chunk and not after it: who is interrupted in the pause knows how far he came
            time.sleep(PAUSE_SECONDS)
        self._has_begun = True
        return len(newcomers.insert(self._tenant, chunk, last=lambda _: _creator_by_now(chunk, self._imported_by)))


def import_users(*, tenant: Tenant, people: Sequence[Newcomer], imported_by: Viewer | None = None) -> int:
    """
    Create many users of a tenant, without passwords, and return how many.

    All are checked before the first is created. They are created in chunks of at most 500, each in a transaction of
    its own: when a name turns out to be taken, ``UsernameTaken`` is raised and the chunks before it stay.
    """
    job = Import(tenant, imported_by=imported_by)
    all_checked = [job.checked(person) for person in people]
    names = [newcomer.fields["username"] for newcomer in all_checked]
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise FieldsRefused({"username": [f"the list has {twice} twice; expected each username once."]})
    return sum(job.create(all_checked[start : start + CHUNK]) for start in range(0, len(all_checked), CHUNK))


class Changes(TypedDict, total=False):
    """What staff may change of a user; what is not named stays. ``role`` None makes it a member."""

    is_active: bool
    role: str | None


@retried
def change_user(*, user: User, changed_by: Viewer | None = None, **changes: Unpack[Changes]) -> User:
    """
    Change a user's role, deactivate or reactivate it; returns it as it is now.

    Deactivation ends the user's sessions. ``changed_by`` None means the house itself. Raises ``UnknownRole``,
    ``NotHeld`` for a role, had or to be had, beyond the changer's own, ``LastOwner``, and what ``as_he_is_now``
    and ``refuse_hidden`` raise of the changer.
    """
    with roles.keeping_an_owner(user, seen_by=changed_by):
        user = User.objects.select_for_update(no_key=True, of=("self",)).select_related("tenant").get(pk=user.pk)
        current = roles.role_of(user)
        if changed_by is not None:
            changed_by = as_he_is_now(changed_by, MANAGE_USERS)  # he may have waited for the locks
            refuse_hidden(changed_by, user.pk)
            if current is not None:
                roles.refuse_unheld(current, changed_by)
        if "role" in changes and user.tenant is not None:
            roles.set_role(user, _role_to_give(user.tenant, changes["role"], changed_by))
        if "is_active" in changes and changes["is_active"] != user.is_active:
            _set_active(user, is_active=changes["is_active"])
    return user


@retried
def end_sessions(*, user: User, ended_by: Viewer, session_id: UUID | None = None) -> int:
    """
    End all live sessions of a user, or the one of that id, by staff's hand; returns how many there were.

    Raises ``NotHeld`` for a user whose role gives what ``ended_by`` lacks: who may not demote him may not lock him out
    by and by either. Raises what ``as_he_is_now`` and ``refuse_hidden`` raise, too.
    """
    with transaction.atomic():
        # The lock under which roles change too: the role that is judged is the one that he has.
        locked = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk).first()
        if locked is None:
            return 0
        ended_by, current = as_he_is_now(ended_by, MANAGE_USERS), roles.role_of(locked)
        refuse_hidden(ended_by, locked.pk)
        if current is not None:
            roles.refuse_unheld(current, ended_by)
        if session_id is None:
            return sessions.end_all_sessions(locked, reason=sessions.ENDED_BY_STAFF)
        return int(sessions.end_session(locked, session_id, reason=sessions.ENDED_BY_STAFF))


def _set_active(user: User, *, is_active: bool) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        sessions.end_all_sessions(user, reason=sessions.DEACTIVATED)
    if user.tenant_id is not None:
        bell.ring_on_commit(user.tenant_id)


def _creator_by_now(chunk: Sequence[Checked], creator: Viewer | None) -> Viewer | None:
    """Return who creates these as he is in the transaction; raises what it calls for if he may not do so (any more)."""
    if creator is not None:
        creator = as_he_is_now(creator, MANAGE_USERS)
        if any(newcomer.fields["tenant"].pk != creator.tenant_id for newcomer in chunk):
            raise NotAuthorised("You are not of the tenant in which you asked to create users any more.")
        for role in {newcomer.first_role for newcomer in chunk if newcomer.first_role is not None}:
            roles.refuse_unheld(role, creator)
    return creator


def _role_to_give(tenant: Tenant, name: str | None, giver: Viewer | None) -> Role | None:
    if name is None:
        return None
    role = roles.role_named(tenant.pk, name)
    if giver is not None:
        roles.refuse_unheld(role, giver)
    return role
