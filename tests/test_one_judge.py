"""There is one judge: another answer of its changes sockets, resume and REST together."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from accounts.permissions import VIEW_USER_CONTACT
from accounts.tokens import pair_of
from realtime import rights
from realtime.rights import Held
from tests.realtime.house import house, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


@pytest.fixture
def judge_hides_contact(monkeypatch: pytest.MonkeyPatch):
    """Have the judge answer, from when it is called on, that nobody holds view_user_contact."""

    def without_contact(real: Callable[..., frozenset[str]]) -> Callable[..., frozenset[str]]:
        return lambda *args: real(*args) - {VIEW_USER_CONTACT}

    def hide() -> None:
        monkeypatch.setattr(Held, "of", without_contact(Held.of))
        # A process has one judge as long as it lives, and a class asks once about the same object. This makes others.
        rights._kept_by_group.cache_clear()

    return hide


def _rest(session: Session, user_id: str) -> tuple[dict, dict]:
    """Return a user's row in the list, and the same user by itself."""
    session.refreshed_at = timezone.now()
    headers = {"Authorization": f"Bearer {pair_of(session).access}"}
    client = Client()
    (row,) = [r for r in client.get("/api/v1/users", headers=headers).json()["results"] if r["id"] == user_id]
    return row, client.get(f"/api/v1/users/{user_id}", headers=headers).json()


@pytest.mark.parametrize("is_replaced", [False, True], ids=["as it is", "replaced"])
async def test_another_answer_changes_socket_resume_and_rest_together(is_replaced, judge_hides_contact):
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        alice = await home.write(make_user, acme, "alice", "owner")
        session = await home.write(make_session, alice)
        first = await home.socket(session)
        await home.write(make_user, acme, "anybody")
        await first.until(lambda s: s.heard_of)
        if is_replaced:
            judge_hides_contact()
        dave = await home.write(make_user, acme, "dave", email="dave@acme.test")
        await first.until(lambda s: s.heard_of[-1] == "dave")
        resumed = await home.socket(session, cursor=first.of_type("user.created")[0]["id"])
        await resumed.until(lambda s: s.of_type("synced"))
        row, detail = await home.write(_rest, session, str(dave.pk))

    live, replayed = first.of_type("user.created")[-1], resumed.of_type("user.created")[-1]
    assert live == replayed
    for view, redacted in ((live["data"], live["redacted"]), (row, row["redacted"]), (detail, detail["redacted"])):
        assert view.get("email") == (None if is_replaced else "dave@acme.test")
        assert ("email" in redacted) is is_replaced
