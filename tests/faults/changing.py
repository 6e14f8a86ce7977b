"""
Changes of rights, each as one transaction whose place in the order of commits is known; some create a user as well.

They are made to the database as other code of the house would make them. Whatever is changed, the counter's value
within the transaction is the change's own: the row is locked from the bump to the commit.
"""

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from random import Random
from typing import Any

from django.db import connection, transaction
from guardian.shortcuts import assign_perm, remove_perm

from accounts.models import Role, Session, User
from accounts.permissions import VIEW_USER_CONTACT, WATCH_SIGNUPS
from accounts.users import create_user
from tenants.models import RightsCounter, Tenant
from tests.faults.sequence import Change, Fact, Model

HELD_SECONDS = 0.08
Facts = dict[Fact, Any]
Act = tuple[Facts, Callable[[], object]]
"""What will be true, and what makes it so."""


class Changer:
    """Changes the rights of a tenant's viewers; may be used by many threads, one for each viewer at a time."""

    def __init__(self, tenant: Tenant, model: Model, seed: int) -> None:
        self.tenant, self.model, self.random = tenant, model, Random(seed)
        self.roles = {role.name: role for role in Role.objects.filter(tenant=tenant).select_related("group")}
        self.now = dict(model.first)
        """What is true once all that is under way has been committed."""
        self.kinds: dict[str, int] = {}
        self._guard = threading.Lock()
        self._role_turn = threading.Lock()

    def change(self, user: str, session: str | None, number: int) -> None:
        """Have one thing about a viewer change, with or without a creation in the same transaction."""
        kind, (facts, act) = self._choose(user, session)
        chance = self.random.random()
        newcomer = f"with-{number}" if chance < 0.35 else None
        with self._committing(kind if newcomer is None else f"{kind} and creation", facts):
            if newcomer is not None and chance < 0.15:  # first the event, which holds the log, then the change
                self.create(newcomer)
                act()
            else:
                act()
                if newcomer is not None:
                    self.create(newcomer)
            if chance < 0.08 or chance > 0.92:
                time.sleep(self.random.uniform(0, HELD_SECONDS))

    def change_role(self, name: str) -> None:
        """Take the right to watch from a whole role, or give it back."""
        role = self.roles[name]
        holder = holder_of(role)
        with self._role_turn:
            gives = not self.now["watch", holder]
            change = assign_perm if gives else remove_perm
            with self._committing("role", {("watch", holder): gives}):
                change(WATCH_SIGNUPS, role.group, self.tenant)

    def create(self, username: str) -> User:
        """Create a user, inside whatever transaction is open."""
        return create_user(
            tenant=self.tenant, username=username, joined_via="api", email=f"{username}@acme.test", agent=""
        )

    def create_with_a_grant(self, user: str, username: str) -> None:
        """Create a user of whom one viewer sees more than his role gives, from the first moment on."""
        facts: Facts = {}
        with self._committing("grant and creation", facts):
            newcomer = self.create(username)
            assign_perm(VIEW_USER_CONTACT, User.objects.get(pk=user), newcomer)
            facts["held", user, str(newcomer.pk)] = frozenset([VIEW_USER_CONTACT])

    def create_and_hide(self, name: str, username: str) -> None:
        """Create a user of whom one role sees nothing."""
        role, facts = self.roles[name], Facts()
        with self._committing("hidden creation", facts):
            newcomer = self.create(username)
            newcomer.grants_to_groups.filter(group=role.group).delete()
            facts["held", holder_of(role), str(newcomer.pk)] = frozenset()

    def note(self, change: Change, kind: str) -> None:
        """Note a change that was made elsewhere."""
        with self._guard:
            self.model.changes.append(change)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.now |= change.facts

    @contextmanager
    def _committing(self, kind: str, facts: Facts) -> Any:
        with transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS usher_bump_rights IMMEDIATE")
            rights = RightsCounter.objects.values_list("value", flat=True).get(tenant_id=self.tenant.pk)
            began = time.monotonic()
        self.note(Change(rights, began, time.monotonic(), facts), kind)

    def _choose(self, user: str, session: str | None) -> tuple[str, Act]:
        if not self.now["active", user]:
            return "reactivation", self._active(user, is_active=True)
        if not any(self.now["member", user, holder_of(role)] for role in self.roles.values()):
            return "joining", self._member(user, self.random.choice(("admin", "viewer", "auditor")))
        choices = {
            "leaving": self._member(user, None),
            "watch": self._watch(user, gives=not self.now.get(("watch", user))),
            "deactivation": self._active(user, is_active=False),
        }
        if self.now.get(("alive", session)):
            choices["session end"] = self._end(str(session))
        return self.random.choice(list(choices.items()))

    def _active(self, user: str, *, is_active: bool) -> Act:
        return {("active", user): is_active}, lambda: User.objects.filter(pk=user).update(is_active=is_active)

    def _watch(self, user: str, *, gives: bool) -> Act:
        change = assign_perm if gives else remove_perm
        return {("watch", user): gives}, lambda: change(WATCH_SIGNUPS, User.objects.get(pk=user), self.tenant)

    def _end(self, session: str) -> Act:
        sessions = Session.objects.filter(pk=session)
        return {("alive", session): False}, lambda: sessions.update(ended_at=Session.objects.get(pk=session).created_at)

    def _member(self, user: str, name: str | None) -> Act:
        facts = {("member", user, holder_of(role)): role.name == name for role in self.roles.values()}
        groups = [] if name is None else [self.roles[name].group]
        return facts, lambda: User.objects.get(pk=user).groups.set(groups)


def holder_of(role: Role) -> str:
    """Return a role as the model names it."""
    return f"group:{role.group_id}"
