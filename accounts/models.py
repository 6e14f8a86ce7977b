"""Who there is: users, their sessions, the roles of a tenant, and the grants on it and on single users."""

from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db import models, transaction
from django.utils import timezone
from guardian.mixins import GuardianUserMixin
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.managers import GroupGrantManager, UserManager
from accounts.names import normalise_username
from realtime.identity import new_id


class JoinedVia(models.TextChoices):
    """The path by which a user came to be."""

    SIGNUP = "signup"
    INVITE = "invite"
    ADMIN = "admin"
    IMPORT = "import"
    API = "api"
    COMMAND = "command"


class User(AbstractBaseUser, PermissionsMixin, GuardianUserMixin):
    """
    A person: of one tenant for life, or, with no tenant, an operator of the platform.

    ``is_staff`` opens the Django admin (operators only); ``is_superuser`` opens nothing in Usher's own rights. Saving
    a new user of a tenant, by whatever path, also gives the tenant's default grants and appends ``user.created``.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, null=True, blank=True, related_name="users")
    username = models.CharField(max_length=150)
    full_name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    joined_via = models.CharField(max_length=10, choices=JoinedVia, default=JoinedVia.COMMAND)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=400, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    first_role: "Role | None" = None
    """The role that a user who is not saved yet is to begin with; not a column."""

    objects = UserManager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_user", "May hear of this user at all"),
            ("view_user_contact", "May see e-mail and phone"),
            ("view_user_origin", "May see from where this user signed up"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "username"], name="username_per_tenant"),
            models.UniqueConstraint(
                fields=["username"], condition=models.Q(tenant=None), name="username_among_operators"
            ),
            models.CheckConstraint(
                condition=models.Q(tenant=None) | models.Q(is_staff=False, is_superuser=False),
                name="only_operators_are_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """
        Save; a new user of a tenant gets its default grants and its event in the same transaction.

        A password that is another than before ends all sessions of the user, in the same transaction too.

        Raises ``ValueError`` for a username that normalises to nothing allowed, ``IntegrityError`` for one that is
        taken.
        """
        # The model's own saving needs what is built on the model.
        from accounts.creation import record_creation
        from accounts.endings import a_new_password_ends_sessions

        self.username = normalise_username(self.username)
        written = kwargs.get("update_fields")
        if self._state.adding and self.tenant_id is not None:
            # No savepoint, as in Django's own saving: whoever wants to go on after an error makes one.
            with transaction.atomic(using=kwargs.get("using"), savepoint=False):
                super().save(*args, **kwargs)
                record_creation([self])
        elif written is None or "password" in written:
            with a_new_password_ends_sessions(User.objects.using(kwargs.get("using")).filter(pk=self.pk)):
                super().save(*args, **kwargs)
        else:
            super().save(*args, **kwargs)

    def check_password(self, raw_password: str | None) -> bool:
        """Tell whether this is the user's password; one that is right and was hashed otherwise is hashed anew."""
        return check_password(raw_password, self.password, self._rehash)

    async def acheck_password(self, raw_password: str | None) -> bool:
        """Tell the same; Django's own would save the new hash as a new password."""
        return await sync_to_async(self.check_password)(raw_password)

    def replace_hash(self, hashed: str) -> bool:
        """
        Write a hash over the one that this instance has; returns False, and writes nothing, if that has gone.

        Alone of all writing it ends no session: whoever calls it says which end.
        """
        return bool(User._base_manager.filter(pk=self.pk, password=self.password).update(password=hashed))

    def _rehash(self, raw_password: str) -> None:
        hashed = make_password(raw_password)
        if self.replace_hash(hashed):
            self.password = hashed
            return
        # Another log-in at the same moment was first, unless the password was changed: then this instance keeps the
        # hash that has gone, by which a log-in sees that it came too late.
        current = User._base_manager.filter(pk=self.pk).values_list("password", flat=True).first()
        if current is not None and check_password(raw_password, current):
            self.password = current


class Session(models.Model):
    """
    One log-in. Its id travels in every token as ``sid``; when it ends, tokens and sockets of it end.

    Only ids of tokens are kept, never a token: a repeated refresh is answered by minting the same pair again from
    ``refresh_jti`` and ``refreshed_at``.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True, default="")
    refresh_jti = models.CharField(max_length=36)
    refreshed_at = models.DateTimeField()
    previous_jti = models.CharField(max_length=36, blank=True, default="")
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        default_permissions = ()
        # By which housekeeping finds those that are over.
        indexes = [
            models.Index(fields=["expires_at"], name="session_by_expiry"),
            models.Index(fields=["ended_at"], name="session_by_end", condition=models.Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.id}"


class KeyedCreation(models.Model):
    """
    Something that was made under an ``Idempotency-Key``. Written with it, by ``accounts.idempotency`` alone.

    ``reference`` finds what was made. Key and request are kept as digests that only this server can make; the answer
    is not kept, since it would outlive the rights of whom it was for and the data of whom it is about.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    fingerprint = models.CharField(max_length=64)
    reference = models.CharField(max_length=63)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.reference} at {self.made_at}"


class FailedLogIn(models.Model):
    """A wrong password, by whomever: see ``accounts.guessing``, which alone reads and writes these."""

    account = models.CharField(max_length=64)
    network = models.CharField(max_length=45)
    at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["account", "at"], name="failure_by_account"),
            models.Index(fields=["network", "at"], name="failure_by_network"),
        ]

    def __str__(self) -> str:
        return f"from {self.network} at {self.at}"


class Role(models.Model):
    """
    A role of one tenant, backed by a group of that tenant alone.

    Its tenant permissions are guardian grants of the group on the tenant. ``default_grants`` are the object
    permissions that the group receives on every user created in the tenant from now on.
    """

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=50)
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="role")
    default_grants = models.ManyToManyField(Permission, related_name="+", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="role_name_per_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.name}"


class UserGrantToUser(UserObjectPermissionBase):
    """An object permission on one user (``content_object``), held by one user."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    content_object = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants_to_users")

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()
        indexes = [models.Index(fields=["content_object", "permission"], name="usergrant_by_subject")]


class UserGrantToGroup(GroupObjectPermissionBase):
    """An object permission on one user (``content_object``), held by a role's group."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    content_object = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants_to_groups")

    objects: ClassVar[GroupGrantManager] = GroupGrantManager()

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()
        indexes = [models.Index(fields=["content_object", "permission"], name="groupgrant_by_subject")]


class TenantGrantToUser(UserObjectPermissionBase):
    """A permission on one tenant, held by one user."""

    content_object = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="grants_to_users")

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class TenantGrantToGroup(GroupObjectPermissionBase):
    """A permission on one tenant, held by a role's group."""

    content_object = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="grants_to_groups")

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()
