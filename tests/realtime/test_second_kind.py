"""A second kind of event is a declaration: realtime/ carries it as it is."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT, VIEW_USER_ORIGIN
from realtime import bell, kinds, log
from realtime.kinds import EventKind, Field
from tests.realtime.house import house, make_session, make_tenant, make_user

pytestmark = pytest.mark.usefixtures("database")

MOVED = EventKind(
    name="user.moved",
    subject="accounts.User",
    hear=VIEW_USER_CONTACT,
    fields=(Field("city", VIEW_USER_CONTACT), Field("moved_from", VIEW_USER_ORIGIN)),
    message="Somebody moved to {city}",
)


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    kinds.declare(MOVED)


def _move(user: User) -> None:
    assert user.tenant_id is not None
    with transaction.atomic():
        moved = {"city": "Bern", "moved_from": "Basel"}
        event = log.EventDraft(kind=MOVED.name, subject_id=user.pk, snapshot=moved, at=timezone.now())
        head = log.append(tenant_id=user.tenant_id, events=[event])
        bell.ring_on_commit(user.tenant_id, head=head)


async def test_each_sees_of_it_what_its_declaration_says():
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        people = [await home.write(make_user, acme, role, role) for role in ("owner", "admin", "viewer")]
        owner, admin, viewer = [await home.socket(await home.write(make_session, person)) for person in people]
        dave = await home.write(make_user, acme, "dave")
        await home.write(_move, dave)
        await home.write(make_user, acme, "erin")
        for socket in (owner, admin, viewer):
            await socket.until(lambda s: s.heard_of[-1:] == ["erin"])

    (whole,) = owner.of_type("user.moved")
    assert whole["data"] == {"city": "Bern", "moved_from": "Basel"}
    assert whole["message"] == "Somebody moved to Bern"
    (masked,) = admin.of_type("user.moved")
    assert (masked["data"], masked["redacted"]) == ({"city": "Bern"}, ["moved_from"])
    assert [frame["type"] for frame in viewer.frames] == ["ready", "synced", "user.created", "user.created"]
    assert owner.of_type("ready")[0]["fields"] | {"city": VIEW_USER_CONTACT} == owner.of_type("ready")[0]["fields"]


def test_a_field_that_kinds_show_differently_is_told_by_its_kind():
    kinds.declare(EventKind("user.mailed", "accounts.User", VIEW_USER, (Field("email", VIEW_USER),), "mail"))

    table = kinds.permissions_by_field()

    assert table["email"] == VIEW_USER_CONTACT
    assert table["user.mailed.email"] == VIEW_USER
    assert table["city"] == VIEW_USER_CONTACT
