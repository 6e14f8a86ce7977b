"""What waits for a slow reader was judged under rights that may be gone when he reads again."""

import pytest
from guardian.shortcuts import assign_perm

from accounts import roles
from accounts.models import User
from accounts.permissions import VIEWER, WATCH_SIGNUPS
from tests.realtime.house import house, make_session, make_tenant, make_user

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]


def _acme():
    acme = make_tenant("acme")
    alice, bob = make_user(acme, "alice", "owner"), make_user(acme, "bob", VIEWER)
    assign_perm(WATCH_SIGNUPS, bob, acme)  # by himself, so that he stays admitted without the role
    return acme, bob, make_session(alice), make_session(bob)


async def test_it_is_judged_anew_when_his_rights_narrow():
    async with house() as home:
        acme, bob, *sessions = await home.write(_acme)
        witness, slow = [await home.socket(session) for session in sessions]
        await slow.until(lambda s: s.of_type("synced"))
        slow.room.clear()
        for name in ("dave", "erin", "frank"):
            await home.write(make_user, acme, name)
            await home.read_all()

        await home.write(roles.set_role, bob, None)
        await home.read_all()
        slow.room.set()
        await slow.until(lambda s: s.of_type("rights.changed"))
        await home.read_all()

    assert witness.heard_of == ["dave", "erin", "frank"], "Alice proves that all were sent"
    assert slow.heard_of == ["dave"], "he was on his way already; the others Bob may not see any more"


async def test_it_is_thrown_away_when_he_may_not_watch_any_more():
    async with house() as home:
        acme, bob, *sessions = await home.write(_acme)
        witness, slow = [await home.socket(session) for session in sessions]
        await slow.until(lambda s: s.of_type("synced"))
        slow.room.clear()
        for name in ("dave", "erin"):
            await home.write(make_user, acme, name)
            await home.read_all()

        await home.write(User.objects.filter(pk=bob.pk).update, is_active=False)
        await home.read_all()
        slow.room.set()
        await slow.until(lambda s: s.closed)

    assert witness.heard_of == ["dave", "erin"], "Alice proves that both were sent"
    assert (slow.heard_of, slow.closed) == (["dave"], 4403)
