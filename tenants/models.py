"""A tenant, and the counters that every app above may bump."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

PLATFORM = 0
"""Stands in the counters for the operators' side of the house: no tenant ever has this id."""

LEAST_RETENTION_DAYS = 1
"""What is younger than a day never leaves a log: the triggers on grants rely on it (docs/adr/0003)."""
MOST_RETENTION_DAYS = 3650
"""SQLite would keep any number, and a date so many days ago must be one that the calendar has."""

slug_rule = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z",
    "a slug is 1 to 63 of a-z, 0-9 and '-', and neither begins nor ends with '-'",
)


class SignupPolicy(models.TextChoices):
    """Who may become a user of a tenant without being created by its staff."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class Tenant(models.Model):
    """
    An organisation. Its integer id stays inside (group names, keys); on the wire a tenant is its slug.

    ``retention_days``: how long its log keeps events, and how old a cursor may be. The permissions are object
    permissions: held on one tenant, by a role of that tenant.
    """

    slug = models.CharField(max_length=63, unique=True, validators=[slug_rule])
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    signup_policy = models.CharField(max_length=10, choices=SignupPolicy, default=SignupPolicy.CLOSED)
    retention_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(LEAST_RETENTION_DAYS), MaxValueValidator(MOST_RETENTION_DAYS)]
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions = [
            ("watch_signups", "May open a socket and hear of new users"),
            ("manage_users", "May create, change and deactivate users"),
            ("manage_grants", "May give and take grants on single users"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(retention_days__gte=LEAST_RETENTION_DAYS), name="retention_of_a_day_at_least"
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Head(models.Model):
    """
    The position of a tenant's last event. Its row lock is what orders the log: see ``realtime.log``.

    It stands apart from the rights counter, so that a log-out never waits for a sign-up. A missing row means 0.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.tenant_id}@{self.position}"


class RightsCounter(models.Model):
    """
    Bumped, in the same transaction, by every change of what anybody of a tenant may see. Written by triggers alone.

    No foreign key: a trigger that fires while a tenant is being deleted must not bring its row back to life as an
    error. A missing row means 0; the row of ``PLATFORM`` is the operators'.
    """

    tenant_id = models.BigIntegerField(primary_key=True)
    value = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.tenant_id}#{self.value}"


class RightsChange(models.Model):
    """
    What one bump was about: the user, group or session touched, and for a grant its subject, permission and direction.

    ``rights`` is the counter's value after the bump; on PostgreSQL it is empty until the transaction commits. Only the
    last ``KEPT`` values of a tenant are kept: whoever is further behind reads the rights of everybody anew.
    """

    KEPT = 10_000

    tenant_id = models.BigIntegerField()
    rights = models.PositiveBigIntegerField(null=True)
    user_id = models.UUIDField(null=True)
    group_id = models.BigIntegerField(null=True)
    session_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    permission_id = models.BigIntegerField(null=True)
    granted = models.BooleanField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["tenant_id", "rights"], name="rightschange_by_value"),
            models.Index(fields=["tenant_id"], name="rightschange_unstamped", condition=models.Q(rights=None)),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}#{self.rights}"
