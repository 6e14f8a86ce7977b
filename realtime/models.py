"""The log's table, and who does which chore just now."""

from django.db import models
from django.utils import timezone

from realtime.identity import new_id


class Event(models.Model):
    """
    Something that happened in a tenant, at a place in its log that is contiguous and in commit order.

    ``id`` is what the wire knows (dedupe key and resume cursor); ``position`` never leaves the house, since the gaps
    that a viewer would see in it count what was hidden from him. Written by ``realtime.log`` alone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=100)
    subject_id = models.UUIDField(db_index=True)
    snapshot = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["tenant", "position"], name="one_event_per_position")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class ChoreClaim(models.Model):
    """
    Whose a chore is just now, or when it is due again: nobody else may begin it before ``until``.

    Only the database's clock is asked, since those of the servers may differ. See ``realtime.housekeeping``.
    """

    chore = models.CharField(max_length=50, primary_key=True)
    holder = models.UUIDField()
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.chore} until {self.until}"
