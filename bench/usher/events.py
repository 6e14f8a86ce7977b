"""Events of the benchmarks: users created, or samples taken, all that are wanted at once in one transaction."""

from collections.abc import Sequence
from itertools import count

from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from accounts.models import JoinedVia, Role, User
from bench.usher.people import UNUSABLE
from tenants.models import Tenant

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"


class Creations:
    """Users, as a sign-up leaves them; the marker is the full name, which every class of viewers sees."""

    def __init__(self, tenants: Sequence[tuple[Tenant, list[Role]]]) -> None:
        self._tenants = [tenant for tenant, _ in tenants]
        # Names from before, of an earlier server on the same tenants, are taken.
        self._numbers = count(int(timezone.now().timestamp() * 1000) % 10**10 * 10**4)

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Create a user for each (tenant's place, marker)."""
        User.objects.bulk_create([self.user(self._tenants[place], marker) for place, marker in events])

    def user(self, tenant: Tenant, marker: str) -> User:
        """Return a user who is not saved yet."""
        number = next(self._numbers)
        return User(
            tenant=tenant,
            username=f"n{number}",
            full_name=marker,
            email=f"n{number}@mail.test",
            phone="+49 30 1234567",
            joined_via=JoinedVia.SIGNUP,
            address="203.0.113.7",
            agent=AGENT,
            password=UNUSABLE,
        )


class Samples:
    """Samples; the marker is the title, which whoever hears of one sees."""

    def __init__(self, tenants: Sequence[tuple[Tenant, list[Role]]]) -> None:
        from bench.usher.kinds import held_by_class

        self._tenants = [tenant for tenant, _ in tenants]
        permissions = {p.codename: p for p in Permission.objects.filter(content_type__app_label="samples")}
        self._grants = [
            [
                (role.group_id, permissions[codename].pk)
                for number, role in enumerate(roles)
                for codename in sorted(held_by_class(number, len(roles)))
            ]
            for _, roles in tenants
        ]

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Take a sample for each (tenant's place, marker), with what its tenant's classes of viewers may see of it."""
        from bench.usher.kinds import FIELDS, SAMPLE_TAKEN
        from bench.usher.models import Sample, SampleGrantToGroup
        from realtime import bell, log

        with transaction.atomic():
            pairs = [(place, Sample(tenant=self._tenants[place], title=marker)) for place, marker in events]
            Sample._default_manager.bulk_create(sample for _, sample in pairs)
            SampleGrantToGroup._default_manager.bulk_create(
                SampleGrantToGroup(content_object=sample, group_id=group, permission_id=permission)
                for place, sample in pairs
                for group, permission in self._grants[place]
            )
            for place in sorted({place for place, _ in pairs}, key=lambda place: self._tenants[place].pk):
                drafts = [
                    log.EventDraft(
                        kind=SAMPLE_TAKEN.name,
                        subject_id=sample.pk,
                        snapshot={
                            "id": str(sample.pk),
                            "title": sample.title,
                            **dict.fromkeys(FIELDS, "some 20 letters of it"),
                        },
                        at=timezone.now(),
                    )
                    for at, sample in pairs
                    if at == place
                ]
                tenant_id = self._tenants[place].pk
                bell.ring_on_commit(tenant_id, head=log.append(tenant_id=tenant_id, events=drafts))
