"""Samples taken: events of the benchmarks' own kind, for settings that have it."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Permission

from bench.usher.kinds import FIELDS, SAMPLE_TAKEN, held_by_class
from bench.usher.models import Sample, SampleGrantToGroup
from bench.usher.rows import Grant, Rows, Tenants
from tenants.models import Tenant


class SampleRows(Rows):
    """Samples; the marker is the title, which whoever hears of one sees."""

    kind = SAMPLE_TAKEN.name
    grants = SampleGrantToGroup

    def subject(self, tenant: Tenant, marker: str) -> Any:
        """Return a sample."""
        return Sample(tenant=tenant, title=marker)

    def snapshot(self, subject: Any) -> dict[str, Any]:
        """Return every field of it."""
        return {"id": str(subject.pk), "title": subject.title, **dict.fromkeys(FIELDS, "some 20 letters of it")}

    def given(self, tenants: Tenants) -> Sequence[Sequence[Grant]]:
        """Return what each tenant's classes of viewers may see."""
        known = {p.codename: p.pk for p in Permission.objects.filter(content_type__app_label="samples")}
        return [
            [
                (role.group_id, known[codename])
                for number, role in enumerate(roles)
                for codename in sorted(held_by_class(number, len(roles)))
            ]
            for _, roles in tenants
        ]
