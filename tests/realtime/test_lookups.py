"""Those who come in together are asked for together, and each answer is one session's alone."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from accounts import sessions
from accounts.people import AccountsPeople
from realtime import admission, lookups
from realtime.admission import Refused, admit, claims_of
from realtime.protocol import Close
from tests.realtime.asgi import access_of
from tests.realtime.house import make_session, make_tenant, make_user

PEOPLE = 40


class Reading:
    """What is asked for, batch by batch; the test may hold it up, or have a batch fail."""

    def __init__(self, monkeypatch):
        self.batches = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.fails = []
        self._read = AccountsPeople().standings
        monkeypatch.setattr(AccountsPeople, "standings", lambda people, session_ids: self.read(session_ids))

    def read(self, session_ids):
        self.batches.append(set(session_ids))
        fails = self.fails.pop(0) if self.fails else None
        self.go_on.wait()
        if fails is not None:
            raise fails
        return self._read(session_ids)

    async def has_begun(self, count):
        while len(self.batches) < count:  # noqa: ASYNC110  the thread that reads has no event of ours to set
            await asyncio.sleep(0.001)


@pytest.fixture
def reading(monkeypatch):
    reading = Reading(monkeypatch)
    yield reading
    reading.go_on.set()


@pytest.fixture
async def claims(database):
    """The claims of forty people's tokens, of two tenants in turns."""
    return await sync_to_async(_claims)()


def _claims():
    tenants = [make_tenant(slug) for slug in ("acme", "globex")]
    sessions = [make_session(make_user(tenants[n % 2], f"viewer {n}", "viewer")) for n in range(PEOPLE)]
    return [claims_of(access_of(session)) for session in sessions]


async def answers(claims):
    """Return, for each, who it is or why not."""
    return await asyncio.gather(*(admit(each) for each in claims), return_exceptions=True)


def closes(found):
    return [answer.close if isinstance(answer, Refused) else None for answer in found]


@pytest.mark.each_database
async def test_those_who_come_in_one_turn_are_one_batch_and_each_is_who_his_token_says(claims, reading):
    found = await answers(claims)

    assert [(who.user_id, who.session_id) for who in found] == [(each.user_id, each.session_id) for each in claims]
    assert len({who.tenant_id for who in found[::2]}) == len({who.tenant_id for who in found[1::2]}) == 1
    assert found[0].tenant_id != found[1].tenant_id
    assert reading.batches == [{each.session_id for each in claims}]


async def test_whoever_comes_while_batches_are_read_is_in_the_next_and_no_batch_is_too_long(
    claims, reading, monkeypatch
):
    monkeypatch.setattr(lookups, "MOST", 10)
    reading.go_on.clear()
    coming = [asyncio.ensure_future(admit(each)) for each in claims]
    await reading.has_begun(2)
    reading.go_on.set()
    await asyncio.gather(*coming)

    assert [len(batch) for batch in reading.batches] == [10] * 4
    assert set().union(*reading.batches) == {each.session_id for each in claims}


async def test_what_was_read_before_somebody_came_is_no_answer_to_him(claims, reading):
    bob = claims[0]
    reading.go_on.clear()
    before = asyncio.ensure_future(admit(bob))
    await reading.has_begun(1)
    after = asyncio.ensure_future(admit(bob))
    await reading.has_begun(2)
    reading.go_on.set()

    assert (await before) == (await after)
    assert reading.batches == [{bob.session_id}] * 2


async def test_a_batch_that_fails_fails_alone_and_says_so_once(claims, reading, monkeypatch, caplog):
    monkeypatch.setattr(lookups, "MOST", PEOPLE // 2)
    reading.fails = [KeyError("planted")]

    found = await answers(claims)

    assert closes(found) == [Close.SERVER_ERROR] * (PEOPLE // 2) + [None] * (PEOPLE // 2)
    assert [record.message for record in caplog.records] == ["an admission could not be judged"]


async def test_one_who_may_not_come_in_is_refused_among_forty_who_may(claims, reading):
    bob = claims[7]
    await sync_to_async(_log_out)(bob)

    found = await answers(claims)

    assert closes(found) == [Close.SESSION_ENDED if each is bob else None for each in claims]
    assert len(reading.batches) == 1


def _log_out(claims):
    from accounts.models import User

    sessions.end_session(User.objects.get(pk=claims.user_id), claims.session_id, reason="logged_out")


async def test_while_the_database_hangs_everybody_is_turned_away_in_time_and_nobody_is_kept(
    claims, reading, monkeypatch
):
    monkeypatch.setattr(admission, "LOOK_UP_SECONDS", 0.2)
    monkeypatch.setattr(lookups, "MOST", 1)
    reading.go_on.clear()

    assert closes(await answers(claims)) == [Close.SERVER_ERROR] * PEOPLE
    assert len(reading.batches) == lookups.AT_ONCE
    assert not lookups.look_ups_of_this_loop()._waiting

    reading.go_on.set()
    monkeypatch.setattr(admission, "LOOK_UP_SECONDS", 60)
    assert closes(await answers(claims)) == [None] * PEOPLE
