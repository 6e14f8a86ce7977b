"""All the ways to change what somebody may see."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from accounts import grants, provisioning, roles, sessions, users
from accounts.models import Session, TenantGrantToGroup, User, UserGrantToGroup, UserGrantToUser
from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT, WATCH_SIGNUPS
from tenants.models import Tenant
from tests.accounts.house import House

Membership = User.groups.through


class Scene:
    """Somebody in a role of his own, logged in, another who is a member, and grants of both on a third."""

    def __init__(self, house: House, name: str, folder: Path) -> None:
        self.house, self.acme, self.folder = house, house.acme, folder
        self.role = roles.create_role(self.acme, name, permissions=[WATCH_SIGNUPS], default_grants=[])
        self.group = self.role.group
        self.watcher = house.add(f"watcher-{name}", role=name)
        self.member = house.add(f"member-{name}")
        self.subject = house.add(f"subject-{name}")
        sessions.log_in(self.watcher, address=None, agent="")
        self.session = Session.objects.get(user=self.watcher)
        self.to_group: Any = grants.give_grant(subject=self.subject, permission=VIEW_USER, to=self.role)
        self.to_user: Any = grants.give_grant(subject=self.subject, permission=VIEW_USER, to=self.member)
        self.contact = Permission.objects.get(codename=VIEW_USER_CONTACT)

    def sql(self, statement: str, *arguments: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)

    def load(self, *rows: Any) -> None:
        file = self.folder / "rows.json"
        file.write_text(serializers.serialize("json", rows))
        call_command("loaddata", str(file), verbosity=0)

    def membership(self) -> Any:
        return Membership(user=self.member, group=self.group)

    def users(self, who: User) -> Any:
        return User.objects.filter(pk=who.pk)

    def sessions(self) -> Any:
        return Session.objects.filter(pk=self.session.pk)


def inactive(user: User) -> User:
    user.is_active = False
    return user


def with_new_password(user: User) -> User:
    user.set_password("another")
    return user


def deactivate(user: User) -> None:
    inactive(user).save()


def suspend(tenant: Tenant) -> None:
    tenant.is_active = False
    tenant.save()


Act = Callable[[Scene], Any]
JOINED = {"user_id": "member", "group_id": "group", "granted": True}
LEFT = {"user_id": "watcher", "group_id": "group", "granted": False}
SHOWN_TO_GROUP = {"group_id": "group", "subject_id": "subject", "permission_id": "contact", "granted": True}
SHOWN_TO_USER = {"user_id": "member", "subject_id": "subject", "permission_id": "contact", "granted": True}
HIDDEN_FROM_GROUP = {"group_id": "group", "subject_id": "subject", "granted": False}
HIDDEN_FROM_USER = {"user_id": "member", "subject_id": "subject", "granted": False}
ON_TENANT = {"group_id": "group", "subject_id": None, "granted": True}
OFF_TENANT = {"group_id": "group", "subject_id": None, "granted": False}
OF_WATCHER = {"user_id": "watcher", "group_id": None, "session_id": None}
OF_SESSION = {"user_id": "watcher", "session_id": "session"}
OF_TENANT = {"user_id": None, "group_id": None, "session_id": None, "subject_id": None}

CHANGES: dict[str, tuple[Act, dict[str, Any]]] = {
    # membership
    "m2m add": (lambda s: s.member.groups.add(s.group), JOINED),
    "m2m add from the other side": (lambda s: s.group.user_set.add(s.member), JOINED),
    "m2m set": (lambda s: s.member.groups.set([s.group]), JOINED),
    "m2m remove": (lambda s: s.watcher.groups.remove(s.group), LEFT),
    "m2m clear": (lambda s: s.watcher.groups.clear(), LEFT),
    "m2m clear from the other side": (lambda s: s.group.user_set.clear(), LEFT),
    "through create": (lambda s: Membership.objects.create(user=s.member, group=s.group), JOINED),
    "through bulk_create": (
        lambda s: Membership.objects.bulk_create([Membership(user=s.member, group=s.group)]),
        JOINED,
    ),
    "through ignoring conflicts": (
        lambda s: Membership.objects.bulk_create([s.membership()], ignore_conflicts=True),
        JOINED,
    ),
    "through update": (lambda s: Membership.objects.filter(user=s.watcher).update(user=s.member), JOINED),
    "through delete": (lambda s: Membership.objects.filter(user=s.watcher).delete(), LEFT),
    "membership by SQL": (
        lambda s: s.sql(
            "INSERT INTO accounts_user_groups (user_id, group_id) SELECT id, %s FROM accounts_user WHERE username = %s",
            s.group.pk,
            s.member.username,
        ),
        JOINED,
    ),
    "no membership by SQL": (lambda s: s.sql("DELETE FROM accounts_user_groups WHERE group_id = %s", s.group.pk), LEFT),
    "membership by loaddata": (lambda s: s.load(s.membership()), JOINED),
    "set_role": (lambda s: roles.set_role(s.member, s.role), JOINED),
    "change_user(role)": (lambda s: users.change_user(user=s.watcher, role=None), LEFT),
    # grants on a user
    "assign_perm to a group": (lambda s: assign_perm(VIEW_USER_CONTACT, s.group, s.subject), SHOWN_TO_GROUP),
    "assign_perm to a user": (lambda s: assign_perm(VIEW_USER_CONTACT, s.member, s.subject), SHOWN_TO_USER),
    "assign_perm on a queryset": (
        lambda s: assign_perm(VIEW_USER_CONTACT, s.group, s.users(s.subject)),
        SHOWN_TO_GROUP,
    ),
    "assign_perm to many": (lambda s: assign_perm(VIEW_USER_CONTACT, [s.group], s.subject), SHOWN_TO_GROUP),
    "remove_perm from a group": (lambda s: remove_perm(VIEW_USER, s.group, s.subject), HIDDEN_FROM_GROUP),
    "remove_perm from a user": (lambda s: remove_perm(VIEW_USER, s.member, s.subject), HIDDEN_FROM_USER),
    "remove_perm on a queryset": (lambda s: remove_perm(VIEW_USER, s.group, s.users(s.subject)), HIDDEN_FROM_GROUP),
    "grant bulk_create": (
        lambda s: UserGrantToGroup.objects.bulk_create(
            [UserGrantToGroup(group=s.group, permission=s.contact, content_object=s.subject)]
        ),
        SHOWN_TO_GROUP,
    ),
    "grant update": (
        lambda s: UserGrantToGroup.objects.filter(pk=s.to_group.pk).update(permission=s.contact),
        SHOWN_TO_GROUP,
    ),
    "grant update takes": (
        lambda s: UserGrantToGroup.objects.filter(pk=s.to_group.pk).update(permission=s.contact),
        HIDDEN_FROM_GROUP,
    ),
    "grant delete": (lambda s: UserGrantToUser.objects.filter(pk=s.to_user.pk).delete(), HIDDEN_FROM_USER),
    "grant by SQL": (
        lambda s: s.sql("DELETE FROM accounts_usergranttogroup WHERE group_id = %s", s.group.pk),
        HIDDEN_FROM_GROUP,
    ),
    "grant by loaddata": (
        lambda s: s.load(UserGrantToGroup(group=s.group, permission=s.contact, content_object=s.subject)),
        SHOWN_TO_GROUP,
    ),
    "give_grant": (
        lambda s: grants.give_grant(subject=s.subject, permission=VIEW_USER_CONTACT, to=s.role),
        SHOWN_TO_GROUP,
    ),
    "take_grant": (lambda s: grants.take_grant(s.to_user), HIDDEN_FROM_USER),
    # permissions on the tenant
    "assign_perm on the tenant": (lambda s: assign_perm("manage_users", s.group, s.acme), ON_TENANT),
    "remove_perm on the tenant": (lambda s: remove_perm(WATCH_SIGNUPS, s.group, s.acme), OFF_TENANT),
    "tenant grant delete": (lambda s: TenantGrantToGroup.objects.filter(group=s.group).delete(), OFF_TENANT),
    "assign_perm on the tenant to a user": (
        lambda s: assign_perm(WATCH_SIGNUPS, s.member, s.acme),
        {"user_id": "member", "granted": True},
    ),
    "change_role": (lambda s: roles.change_role(s.role, permissions=[], default_grants=[]), OFF_TENANT),
    # groups and roles
    "group delete": (lambda s: s.group.delete(), LEFT),
    "group delete in bulk": (lambda s: Group.objects.filter(pk=s.group.pk).delete(), OFF_TENANT),
    "delete_role": (lambda s: roles.delete_role(s.role), HIDDEN_FROM_GROUP),
    # users
    "deactivation by save": (lambda s: deactivate(s.watcher), OF_WATCHER),
    "deactivation by update": (lambda s: s.users(s.watcher).update(is_active=False), OF_WATCHER),
    "deactivation by bulk_update": (
        lambda s: User.objects.bulk_update([inactive(s.watcher)], ["is_active"]),
        OF_WATCHER,
    ),
    "deactivation by SQL": (
        lambda s: s.sql("UPDATE accounts_user SET is_active = FALSE WHERE username = %s", s.watcher.username),
        OF_WATCHER,
    ),
    "change_user(is_active)": (lambda s: users.change_user(user=s.watcher, is_active=False), OF_WATCHER),
    "user delete": (lambda s: s.watcher.delete(), OF_WATCHER),
    "subject delete": (lambda s: s.users(s.subject).delete(), {"user_id": "subject"}),
    # sessions
    "session end by update": (
        lambda s: s.sessions().update(ended_at=timezone.now()),
        OF_SESSION,
    ),
    "session delete": (lambda s: s.session.delete(), OF_SESSION),
    "session end and delete in one": (
        lambda s: (s.sessions().update(ended_at=timezone.now()), s.sessions().delete()),
        OF_SESSION,
    ),
    "session shortened": (
        lambda s: s.sessions().update(expires_at=timezone.now()),
        OF_SESSION,
    ),
    "password by save": (lambda s: with_new_password(s.watcher).save(), OF_SESSION),
    "password by update": (lambda s: s.users(s.watcher).update(password="another"), OF_SESSION),
    "end_session": (lambda s: sessions.end_session(s.watcher, s.session.pk, reason="logged_out"), OF_SESSION),
    "end_all_sessions": (lambda s: sessions.end_all_sessions(s.watcher, reason="ended_by_staff"), OF_SESSION),
    # the tenant
    "suspension by update": (lambda s: Tenant.objects.filter(pk=s.acme.pk).update(is_active=False), OF_TENANT),
    "suspension by save": (lambda s: suspend(s.acme), OF_TENANT),
    "change_tenant": (lambda s: provisioning.change_tenant(s.acme, is_active=False), OF_TENANT),
}
