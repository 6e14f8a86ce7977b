"""What the benchmarks' own kind of event is about, with grants of its own; and a user as bare as one could be."""

from django.db import models
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from bench.usher.kinds import FIELD_PERMISSIONS, VIEW
from realtime.identity import new_id


class Sample(models.Model):
    """Something that was taken in a tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=100)

    class Meta:
        default_permissions = ()
        permissions = [(codename, f"May {codename}") for codename in (VIEW, *FIELD_PERMISSIONS)]

    def __str__(self) -> str:
        return self.title


class SampleGrantToUser(UserObjectPermissionBase):
    """An object permission on one sample, held by one user."""

    content_object = models.ForeignKey(Sample, on_delete=models.CASCADE, related_name="grants_to_users")

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class SampleGrantToGroup(GroupObjectPermissionBase):
    """An object permission on one sample, held by a role's group."""

    content_object = models.ForeignKey(Sample, on_delete=models.CASCADE, related_name="grants_to_groups")

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class BareUser(models.Model):
    """The columns and constraints of a user, and no grants and no event: what a creation costs without Usher."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+")
    username = models.CharField(max_length=150)
    full_name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    joined_via = models.CharField(max_length=10)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=400, blank=True, default="")
    password = models.CharField(max_length=128)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_superuser = models.BooleanField(default=False)
    last_login = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "username"], name="bare_username_per_tenant")]

    def __str__(self) -> str:
        return self.username
